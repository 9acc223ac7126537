import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { missingTools } from '../../image/missing-tools.ts';
import { newPlugin, repository } from './new-plugin.ts';
import { run } from './run.ts';

test('a new plugin type-checks, builds twice to the same bytes, is signed and verified [P12, P1]', async (t) => {
  const { project, build, bundle, key, pub, dir } = await newPlugin(t);
  execFileSync(process.execPath, [path.join(repository, 'node_modules/typescript/bin/tsc')], {
    cwd: project,
  });
  const built = await build();
  assert.equal(built.code, 0, built.err);
  assert.equal(built.out, `${bundle}\n`);
  const first = readFileSync(bundle);
  assert.equal((await build()).code, 0);
  assert.deepEqual(readFileSync(bundle), first);

  assert.equal((await run('plugin', 'sign', bundle, '--key', key)).code, 0);
  const verified = await run('plugin', 'verify', bundle, '--pub', pub);
  assert.equal(verified.code, 0, verified.err);
  assert.match(verified.out, /^door-bell 0\.1\.0: signed by [0-9A-F]{16} /);
  if (missingTools(['minisign']).length === 0)
    execFileSync('minisign', ['-Vm', bundle, '-p', pub], { cwd: dir, stdio: 'pipe' });
  else t.diagnostic('minisign is not installed: its own check was left out');
});

test('the same source in another folder gives the same bytes [P1]', async (t) => {
  const [a, b] = [await newPlugin(t), await newPlugin(t)];
  await a.build();
  await b.build();
  assert.deepEqual(readFileSync(a.bundle), readFileSync(b.bundle));
});

test('one changed byte, another key or no signature: exit code 1 and a code on standard error [P3, P12]', async (t) => {
  const { build, bundle, key, pub, dir } = await newPlugin(t);
  await build();
  const unsigned = await run('plugin', 'verify', bundle, '--pub', pub);
  assert.deepEqual([unsigned.code, /^cli\.unreadable: .*minisig/.test(unsigned.err)], [1, true]);
  await run('plugin', 'sign', bundle, '--key', key);
  const other = path.join(dir, 'other');
  await run('key', 'new', '--out', other, '--no-password');
  const stranger = await run('plugin', 'verify', bundle, '--pub', `${other}.pub`);
  assert.deepEqual([stranger.code, stranger.err.split(':')[0]], [1, 'trust.unknown-key']);
  const bytes = readFileSync(bundle);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(bundle, bytes);
  const changed = await run('plugin', 'verify', bundle, '--pub', pub, '--json');
  assert.deepEqual([changed.code, changed.err.split(':')[0]], [1, 'trust.bad-signature']);
  assert.equal((JSON.parse(changed.out) as { code: string }).code, 'trust.bad-signature');
});

test('a bundle that is damaged, or none, is not signed; any other file is [P3, P12]', async (t) => {
  const { build, bundle, key, dir } = await newPlugin(t);
  await build();
  const bytes = readFileSync(bundle);
  writeFileSync(bundle, bytes.subarray(0, -7));
  const cut = await run('plugin', 'sign', bundle, '--key', key);
  assert.deepEqual(
    [cut.code, cut.err.split(':')[0], existsSync(`${bundle}.minisig`)],
    [1, 'bundle.gzip-damaged', false],
  );
  const other = path.join(dir, 'release-notes.txt');
  writeFileSync(other, 'any text');
  assert.equal((await run('plugin', 'sign', other, '--key', key)).code, 0);
});

test('assets and used packages go into the bundle; links and packages of which nothing is used do not [P1]', async (t) => {
  const { project, build, bundle, key, pub } = await newPlugin(t);
  mkdirSync(path.join(project, 'assets/deep'), { recursive: true });
  writeFileSync(path.join(project, 'assets/deep/table.csv'), 'a,b\n');
  const source = path.join(project, 'src/plugin.ts');
  const uses = `import { setTimeout as later } from 'node:timers/promises';\nimport fastDeepEqual from 'fast-deep-equal';\n`;
  writeFileSync(
    source,
    `${uses}${readFileSync(source, 'utf8')}\nvoid later; console.log(fastDeepEqual(1, 1));\n`,
  );
  const built = await build();
  assert.equal(built.code, 0, built.err);
  await run('plugin', 'sign', bundle, '--key', key);
  const verified = await run('plugin', 'verify', bundle, '--pub', pub, '--json');
  const { manifest } = JSON.parse(verified.out) as { manifest: { members: { path: string }[] } };
  assert.deepEqual(
    manifest.members.map((member) => member.path),
    ['assets/deep/table.csv', 'plugin.mjs', 'sbom.spdx.json'],
  );
  const sbom = execFileSync('tar', ['xOzf', bundle, 'sbom.spdx.json']).toString();
  assert.match(sbom, /pkg:npm\/fast-deep-equal@/);
  assert.doesNotMatch(sbom, /typescript/);
  symlinkSync('/etc/passwd', path.join(project, 'assets/link'));
  const linked = await build();
  assert.deepEqual([linked.code, /assets are plain files/.test(linked.err)], [1, true]);
});

test('mistakes of an author are told with file and field [P12]', async (t) => {
  const { project, build, edit } = await newPlugin(t);
  edit((source) => Object.assign(source, { level: 'highest' }));
  assert.match((await build()).err, /^cli\.build-failed: .*plugin\.json: \/level /);
  edit((source) => Object.assign(source, { level: 'high', permissions: { network: true } }));
  assert.match((await build()).err, /^cli\.build-failed: .*\/permissions\/network is not a known key/);
  edit((source) => Object.assign(source, { permissions: {} }));
  writeFileSync(path.join(project, 'src/plugin.ts'), 'export default {\n  onEvent( {};\n');
  assert.match((await build()).err, /^cli\.build-failed: .*\n?.*src\/plugin\.ts:2:/);
  writeFileSync(path.join(project, 'plugin.json'), '{');
  assert.match((await build()).err, /^cli\.build-failed: .*plugin\.json: it is not JSON/);
});

test('init writes over nothing and takes no name that a plugin cannot have [P12]', async (t) => {
  const { project } = await newPlugin(t);
  const again = await run('plugin', 'init', project);
  assert.deepEqual([again.code, /^cli\.exists: /.test(again.err)], [1, true]);
  for (const name of ['Door', 'x', '-a', 'a_b', 'a'.repeat(41)])
    assert.equal((await run('plugin', 'init', path.join(path.dirname(project), name))).code, 2, name);
});

test('a bundle that two keys must sign is signed by one after the other [P2]', async (t) => {
  const { build, bundle, key, pub, dir } = await newPlugin(t);
  await build();
  const second = path.join(dir, 'second');
  await run('key', 'new', '--out', second, '--no-password');
  await run('plugin', 'sign', bundle, '--key', key);
  const both = ['plugin', 'verify', bundle, '--pub', pub, '--pub', `${second}.pub`];
  assert.match((await run(...both)).err, /^trust\.too-few-signatures: /);
  assert.equal((await run('plugin', 'sign', bundle, '--key', `${second}.key`, '--add')).code, 0);
  assert.equal((await run(...both)).code, 0);
  assert.match((await run('plugin', 'sign', bundle, '--key', key, '--add')).err, /^cli\.exists: /);
});

test('keys are never written over, the secret one is for its owner alone, and show tells what a file is [P1]', async (t) => {
  const { key, pub, dir } = await newPlugin(t);
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const again = await run('key', 'new', '--out', path.join(dir, 'me'), '--no-password');
  assert.deepEqual([again.code, /^cli\.exists: /.test(again.err)], [1, true]);
  const shown = await Promise.all([key, pub].map((file) => run('key', 'show', file, '--json')));
  const [secret, open] = shown.map(
    ({ out }) => JSON.parse(out) as { id: string; publicKey: string; kind: string },
  );
  assert.deepEqual({ ...secret, kind: 'public' }, open);
  assert.deepEqual([secret?.kind, open?.kind], ['secret', 'public']);
  assert.equal((await run('key', 'show', open?.publicKey ?? '')).code, 0);
  const noTerminal = await run('key', 'new', '--out', path.join(dir, 'locked'));
  assert.deepEqual([noTerminal.code, /^cli\.no-terminal: /.test(noTerminal.err)], [1, true]);
});

test('a manifest with a wrong word is refused with what it may be; a type that no event has is a warning [P12]', async (t) => {
  const { build, edit } = await newPlugin(t);
  edit((source) => {
    source.level = 'highest';
  });
  const refused = await build();
  assert.equal(refused.code, 1);
  assert.match(refused.err, /plugin\.json: \/level must be one of "low", "medium", "high"\n$/);
  edit((source) => {
    source.level = 'high';
    source.name = 'Door Bell';
  });
  assert.match((await build()).err, /\/name must match pattern .* \(2 to 40 lower-case letters/);
  edit((source) => {
    source.name = 'door-bell';
    source.subscriptions = ['usb.device.aded', 'usb.*', 'plugin.other.told'];
  });
  const doubted = await build();
  assert.equal(doubted.code, 0, doubted.err);
  assert.match(doubted.err, /warning: .*usb\.device\.aded.*did you mean usb\.device\.added\?/);
  assert.equal(doubted.err.match(/warning/g)?.length, 1, doubted.err);
});

test('a word that is nearly an action of plugin is told which, also for those that run elsewhere [P12]', async () => {
  assert.match((await run('plugin', 'tets')).err, /Did you mean test\?/);
  assert.match((await run('help', 'plugin')).out, /^Usage: autoweave plugin .*\|dev\|test …/);
});
