// Alpine's own apk beside the base `alpine`, on the same repository: the same packages, the same files, the same refusals. It needs a
// minirootfs of Alpine, which is no part of this repository: ALPINE_MINIROOTFS=FILE names its archive.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, suite, test } from 'node:test';
import { alpineBase } from '../../image/base/alpine.ts';
import type { ResolvedPackage } from '../../image/base/base-provider.ts';
import { missingTools } from '../../image/missing-tools.ts';
import alpine from '../../image/packages/alpine.json' with { type: 'json' };
import { runCommand } from '../../image/run-command.ts';
import { type TestMirror, testMirror, whyNoRepository } from '../support/alpine/make-repository.ts';
import { changeInside, smallRepository } from '../support/alpine/small-repository.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';

const { ALPINE_MINIROOTFS: minirootfs } = process.env;
const wanted = Object.values(alpine.base).flat();
const remedy = 'read what apk said';

suite("Alpine's own apk", { skip: whyNot() }, () => {
  const cleanup = suiteCleanup();
  let dir: string;
  let mirror: TestMirror;
  let packages: readonly ResolvedPackage[];
  let ours: string;

  before(async () => {
    mirror = await testMirror();
    dir = await tempDir(cleanup);
    await mkdir(path.join(dir, 'apk'));
    await runCommand('tar', ['-xzf', minirootfs ?? '', '--no-same-owner', '-C', path.join(dir, 'apk')], {
      remedy,
    });
    const base = alpineBase({
      mirror: mirror.url,
      keys: mirror.keys,
      lock: mirror.lock,
      architecture: 'x64',
    });
    const archives = path.join(dir, 'archives');
    packages = (await base.fetch({ archives, work: dir })).filter(({ part }) => part === 'base');
    ours = path.join(dir, 'ours');
    await mkdir(ours);
    await base.prepareRoot(ours);
    for (const { file } of packages) await base.unpack(path.join(archives, file), ours);
  });

  const install = (root: string, from: { readonly url: string; readonly keys: string }) =>
    apkAdd(dir, root, from);

  test('it chooses the same packages in the same versions, and installs the same files [I1]', async (t) => {
    const theirs = path.join(dir, 'theirs');
    await install(theirs, mirror);
    const database = await readFile(path.join(theirs, 'lib/apk/db/installed'), 'utf8');
    const chosen = [...database.matchAll(/^P:(.+)\nV:(.+)$/gm)].map(
      ([, name, version]) => `${name} ${version}`,
    );
    assert.deepEqual(chosen.sort(), packages.map(({ name, version }) => `${name} ${version}`).sort());
    const [left, right] = [await filesOf(theirs), await filesOf(ours)];
    for (const own of ['usr/lib/apk', 'etc/apk', 'var/cache', 'lib/apk'])
      for (const name of left.keys()) if (name === own || name.startsWith(`${own}/`)) left.delete(name);
    t.diagnostic(`${chosen.length} packages, ${right.size} files and links`);
    assert.deepEqual([...left].sort(), [...right].sort());
  });

  test('it refuses what the builder refuses: another index, other files [I1]', async (t) => {
    for (const [name, spoil] of [
      [
        'index',
        (file: (name: string) => string) => changeInside(file('APKINDEX.tar.gz'), 'T:redis', 'T:rebis'),
      ],
      [
        'files',
        (file: (name: string) => string) => changeInside(file('redis-1.0-r0.apk'), 'redis\n', 'rebis\n'),
      ],
    ] as const) {
      const repository = await smallRepository(await tempDir(t));
      await install(path.join(dir, `whole-${name}`), repository);
      await spoil(repository.file);
      await assert.rejects(install(path.join(dir, `spoilt-${name}`), repository), {
        code: 'image.command-failed',
      });
    }
  });
});

function whyNot(): string | false {
  if (minirootfs === undefined)
    return 'ALPINE_MINIROOTFS names no archive of an Alpine minirootfs for x86_64';
  const missing = missingTools(['unshare']);
  return whyNoRepository() ?? (missing.length > 0 && `not installed: ${missing.join(', ')}`);
}

/** Without scripts, as the builder unpacks; as root of a namespace of its own, so that it may be anybody. */
async function apkAdd(
  dir: string,
  root: string,
  { url, keys }: { readonly url: string; readonly keys: string },
): Promise<void> {
  const mini = path.join(dir, 'apk');
  await mkdir(path.join(root, 'etc/apk'), { recursive: true });
  const folder = url.replace('file://', '');
  const repositories = alpine.repositories.map((name) => `${folder}/${alpine.release}/${name}\n`);
  await writeFile(path.join(root, 'etc/apk/repositories'), repositories.join(''));
  await runCommand(
    'unshare',
    [
      ...['--user', '--map-root-user', path.join(mini, 'lib/ld-musl-x86_64.so.1'), '--library-path'],
      ...[
        `${mini}/lib:${mini}/usr/lib`,
        path.join(mini, 'sbin/apk'),
        '--root',
        root,
        '--initdb',
        '--arch',
        'x86_64',
      ],
      ...['--keys-dir', path.resolve(keys), '--no-scripts', '--no-progress', '--no-cache', 'add', ...wanted],
    ],
    { remedy },
  );
}

/** Path with the folders merged -> type, mode and content. Folders are left out: their modes are the root's affair. */
async function filesOf(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const at = path.join(entry.parentPath, entry.name);
    const name = path.relative(root, at);
    if (/^(bin|sbin|lib|lib64)$/.test(name)) continue;
    const merged = name.replace(/^(bin|sbin|lib|lib64)\//, 'usr/$1/');
    if (entry.isSymbolicLink()) found.set(merged, `link to ${await readlink(at)}`);
    else if (entry.isFile()) {
      const { mode } = await lstat(at);
      const hash = createHash('sha256')
        .update(await readFile(at))
        .digest('hex');
      found.set(merged, `${(mode & 0o777).toString(8)} ${hash}`);
    } else found.set(merged, 'device');
  }
  return found;
}
