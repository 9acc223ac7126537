import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, lstatSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { digestOf } from '../../src/operate/install-host/digest-of.ts';
import { hostFiles } from '../../src/operate/install-host/host-files.ts';
import { planInstall } from '../../src/operate/install-host/plan-install.ts';
import { planUninstall } from '../../src/operate/install-host/plan-uninstall.ts';
import { readHostFacts } from '../../src/operate/install-host/read-host-facts.ts';
import { runSteps } from '../../src/operate/install-host/run-steps.ts';
import { tempDir } from '../support/temp-dir.ts';

const quiet = () => undefined;
const factsOf = (root: string) =>
  readHostFacts({ root, node: '/usr/bin/node', bundle: new TextEncoder().encode('// the bundle') });

async function install(root: string): Promise<number> {
  const plan = planInstall(await factsOf(root), { files: hostFiles(), version: '1.0.0', replace: false });
  assert.ok(plan.ok, JSON.stringify(plan));
  await runSteps(plan.steps, { root, say: quiet });
  return plan.steps.length;
}

async function uninstall(root: string, purge = false): Promise<readonly string[]> {
  const { steps, left } = planUninstall(await factsOf(root), { purge });
  await runSteps(steps, { root, say: quiet });
  return left;
}

const filesIn = (root: string) =>
  globSync('**', { cwd: root, exclude: [] })
    .filter((file) => !lstatSync(path.join(root, file)).isDirectory())
    .map((file) => `/${file}`)
    .sort();

test('an installation into a folder is what its manifest says, and uninstalling leaves nothing [I6]', async (t) => {
  const root = await tempDir(t);
  await install(root);
  const manifest = JSON.parse(
    readFileSync(path.join(root, 'var/lib/autoweave-install/manifest.json'), 'utf8'),
  ) as {
    entries: { path: string; digests: string[] }[];
  };
  const installed = filesIn(root).filter((file) => !file.endsWith('/manifest.json'));
  assert.deepEqual(manifest.entries.map((entry) => entry.path).sort(), installed);
  for (const entry of manifest.entries) {
    const file = path.join(root, entry.path);
    const is = lstatSync(file).isSymbolicLink()
      ? digestOf({ target: readlinkSync(file) })
      : digestOf(readFileSync(file));
    assert.deepEqual(entry.digests, [is], entry.path);
  }
  assert.equal(await install(root), 0, 'a second run has nothing to do');
  assert.deepEqual(await uninstall(root), []);
  assert.deepEqual(
    globSync('**', { cwd: root }).filter((name) => name !== '.' && name !== ''),
    [],
  );
});

test('what others have in the same folders survives, and so do data and changed files [I6]', async (t) => {
  const root = await tempDir(t);
  const put = async (file: string, text: string) => {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  };
  await put('etc/systemd/system/other.service', 'other');
  await install(root);
  await put('usr/local/lib/autoweave/note', 'mine');
  await put('etc/autoweave/redis.conf', 'changed');
  await put('var/lib/autoweave/buffer-mark', 'data');
  assert.deepEqual(await uninstall(root), ['/etc/autoweave/redis.conf', '/var/lib/autoweave']);
  assert.deepEqual(filesIn(root), [
    '/etc/autoweave/redis.conf',
    '/etc/systemd/system/other.service',
    '/usr/local/lib/autoweave/note',
    '/var/lib/autoweave-install/manifest.json',
    '/var/lib/autoweave/buffer-mark',
  ]);
  assert.deepEqual(await uninstall(root, true), []);
  assert.deepEqual(filesIn(root), ['/etc/systemd/system/other.service', '/usr/local/lib/autoweave/note']);
});

test('an installation that breaks off can be continued, or taken away [I6]', async (t) => {
  for (const [index, finish] of [install, uninstall].entries()) {
    const root = path.join(await tempDir(t), String(index));
    await mkdir(root);
    const plan = planInstall(await factsOf(root), { files: hostFiles(), version: '1.0.0', replace: false });
    assert.ok(plan.ok);
    await runSteps(plan.steps.slice(0, -6), { root, say: quiet });
    await finish(root);
    assert.equal(filesIn(root).length, finish === install ? 17 : 0);
  }
});

test('a link that leads out of the other system is not followed [I6]', async (t) => {
  const dir = await tempDir(t);
  await mkdir(path.join(dir, 'root/etc'), { recursive: true });
  await mkdir(path.join(dir, 'outside'));
  symlinkSync('../../outside', path.join(dir, 'root/etc/systemd'));
  await assert.rejects(install(path.join(dir, 'root')), { code: 'operate.outside-root' });
  assert.deepEqual(filesIn(path.join(dir, 'outside')), []);
});

test('a step that fails stops the installation and is named with its remedy [I6]', async (t) => {
  const root = await tempDir(t);
  const failing = { kind: 'run', command: ['sh', '-c', 'echo no such thing >&2; exit 3'] } as const;
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  await assert.rejects(
    runSteps(
      [
        { ...failing, mayFail: true },
        { ...failing, mayFail: false },
        { kind: 'folder', path: '/x' },
      ],
      { root, say },
    ),
    (error: Error & { code?: string }) =>
      error.code === 'operate.step-failed' && /no such thing; put that right/.test(error.message),
  );
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /failed, going on \(no such thing\)/);
  assert.deepEqual(filesIn(root), []);
});

function analyze(t: TestContext, ...args: string[]) {
  const found = spawnSync('systemd-analyze', ['--no-pager', ...args], { encoding: 'utf8' });
  if (found.error === undefined) return found;
  t.skip('systemd-analyze is not installed');
  return null;
}

test('systemd finds nothing wrong with the units as they are installed [I6]', async (t) => {
  const root = await tempDir(t);
  await install(root);
  const library = path.join(root, 'usr/lib/systemd/system');
  await mkdir(library, { recursive: true });
  for (const name of ['sysinit.target', 'basic.target', 'shutdown.target', 'multi-user.target']) {
    await writeFile(path.join(library, name), `[Unit]\nDescription=${name}\nDefaultDependencies=no\n`);
  }
  const found = analyze(
    t,
    'verify',
    `--root=${root}`,
    '--man=no',
    'autoweave.service',
    'autoweave-redis.service',
  );
  if (found === null) return;
  assert.equal(found.stderr, '');
  assert.equal(found.status, 0);
});

test('the units are hardened as far as their work allows [I4, I6]', (t: TestContext) => {
  // Tenths; systemd 252 says 3.3 and 0.5. Newer releases count a little differently.
  for (const [unit, limit] of [
    ['autoweave', 36],
    ['autoweave-redis', 9],
  ] as const) {
    const found = analyze(t, 'security', '--offline=true', `--threshold=${limit}`, `systemd/${unit}.service`);
    if (found === null) return;
    const [line = ''] = /Overall exposure level.*/.exec(found.stdout) ?? [];
    t.diagnostic(line);
    assert.equal(found.stderr, '');
    assert.equal(found.status, 0, line);
  }
});

test('nothing in the unit makes sysfs read-only: the runtime authorizes devices and sets LEDs there [U6, I4]', (t: TestContext) => {
  const found = analyze(t, 'security', '--offline=true', '--json=short', 'systemd/autoweave.service');
  if (found === null) return;
  const checks = JSON.parse(found.stdout) as readonly { json_field: string; set: boolean | null }[];
  const isSet = (name: string) => checks.find(({ json_field: field }) => field === name)?.set;
  assert.equal(isSet('ProtectKernelTunables'), false);
  assert.equal(isSet('ProtectSystem'), true, 'the rest of the system is read-only');
  const unit = readFileSync('systemd/autoweave.service', 'utf8');
  assert.doesNotMatch(
    unit,
    /^(ReadOnlyPaths|InaccessiblePaths|TemporaryFileSystem|BindReadOnlyPaths)=.*\/sys/m,
  );
});
