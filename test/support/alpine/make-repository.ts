// `node test/support/alpine/make-repository.ts`: an Alpine mirror of the packages that the image needs, made on this machine, with keys of
// its own, below .cache/alpine-repository. Takes some minutes once; prints what to give to `npm run image`.
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { alpineBase } from '../../../image/base/alpine.ts';
import { whyNoApko } from '../../../image/base/apko.ts';
import { whyNotDebian } from '../../../image/base/debian.ts';
import { missingTools } from '../../../image/missing-tools.ts';
import alpine from '../../../image/packages/alpine.json' with { type: 'json' };
import { takeLock } from '../../../image/take-lock.ts';
import { makeApk } from './make-apk.ts';
import { repositoryCache } from './part-store.ts';
import { repositoryParts } from './repository-parts.ts';
import { makeSigningKey, writeRepository } from './write-repository.ts';

export interface TestMirror {
  /** `file://…` */
  readonly url: string;
  readonly keys: string;
  /** A lock file for its packages. */
  readonly lock: string;
}

const lockLimitMs = 3_600_000;

/** The reason why it cannot be made on this machine, or undefined. */
export function whyNoRepository(): string | undefined {
  if (process.arch !== 'x64') return `its programs are x64, this machine is ${process.arch}`;
  const why = whyNotDebian();
  if (why !== undefined) return `it is made from Debian's packages and sources; ${why}`;
  const missing = missingTools([
    'musl-gcc',
    'gcc',
    'g++',
    'make',
    'meson',
    'ninja',
    'python3',
    'strip',
    'bzip2',
  ]);
  if (missing.length === 0) return whyNoApko();
  return `it needs programs that are not installed: ${missing.join(', ')}`;
}

export async function testMirror(report: (line: string) => void = () => undefined): Promise<TestMirror> {
  const mirror = path.join(repositoryCache, 'mirror');
  const keys = path.join(repositoryCache, 'keys');
  const made = { url: `file://${mirror}`, keys, lock: path.join(repositoryCache, 'lock.json') };
  const lock = await takeLock('alpine test repository', lockLimitMs);
  try {
    const stamp = path.join(repositoryCache, 'made-from');
    const sources = sourcesHash();
    if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === sources) return made;
    report('makes the packages; the first time takes some minutes');
    await rm(stamp, { force: true });
    await makeMirror(mirror, keys);
    const work = path.join(repositoryCache, 'lock-work');
    const base = alpineBase({ ...made, mirror: made.url, architecture: 'x64', locking: 'refresh' });
    await base.fetch({ archives: path.join(work, 'archives'), work });
    await writeFile(stamp, sources);
    return made;
  } finally {
    await lock.release();
  }
}

async function makeMirror(mirror: string, keys: string): Promise<void> {
  const key = makeSigningKey('autoweave-test.rsa.pub');
  const parts = await repositoryParts(key);
  for (const folder of [mirror, keys]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  }
  await writeFile(path.join(keys, key.name), key.publicPem);
  for (const repository of ['main', 'community'] as const) {
    const packages = [];
    for (const { info, tree } of parts.filter((part) => part.repository === repository))
      packages.push(await makeApk(info, tree, key));
    const place = { mirror, release: alpine.release, repository, architecture: 'x86_64' };
    await writeRepository(place, packages, key);
  }
}

function sourcesHash(): string {
  const hash = createHash('sha256').update(JSON.stringify(alpine));
  // Not the tests' other repository.
  for (const file of globSync('!(small-repository).ts', { cwd: import.meta.dirname }).sort())
    hash.update(readFileSync(path.join(import.meta.dirname, file)));
  return hash.digest('hex');
}

if (import.meta.main) {
  const why = whyNoRepository();
  if (why !== undefined) {
    console.error(`make-repository: ${why}`);
    process.exit(1);
  }
  const { url, keys, lock } = await testMirror((line) => console.log(`make-repository: ${line}`));
  console.log(`npm run image -- --base alpine --mirror ${url} --keys ${keys} --lock ${lock}`);
}
