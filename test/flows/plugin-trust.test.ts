// Who is trusted, from the first key on: commands against the shipped daemon, which runs without a boundary for plugins here.
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { run } from '../cli/run.ts';
import { controlClient } from '../plugins/control-client.ts';
import { seer, signedPlugin } from '../plugins/test-plugins.ts';
import { startDaemon } from '../support/daemon.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';

async function appliance(t: TestContext) {
  const dir = await tempDir(t);
  const [redis, broker] = [await startRedis(t), await startMosquitto(t)];
  const { monitorCommand, sysfsRoot } = usbBus(t, dir);
  const options = {
    ...{ redisSocket: redis.socket, brokerUrl: broker.url, dir, args: ['--insecure-plugins'] },
    config: { usb: { sysfsRoot, monitorCommand } },
  };
  const daemon = await startDaemon(t, options);
  const socket = path.join(dir, 'control.sock');
  const at = (name: string) => path.join(dir, name);
  const ok = async (...args: readonly string[]) => {
    const { code, err, out } = await run(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${err}`);
    return out;
  };
  /** What the daemon answers: `ok`, or the code of its refusal. */
  const told = async (...args: readonly string[]) => {
    const { code, err, out } = await run(...args, '--socket', socket);
    return code === 0 ? 'ok' : (/^[a-z]+\.[a-z-]+(?=:)/.exec(err)?.[0] ?? `${code} ${out} ${err}`);
  };
  for (const name of ['root', 'root2', 'publisher', 'young', 'stranger'])
    await ok('key', 'new', '--out', at(name), '--no-password');
  const bundleOf = async (name: string, key: string, version = '1.0.0') => {
    const file = at(`${name}-${version}.awp`);
    await writeFile(file, (await signedPlugin({ code: seer, name, version })).bytes);
    await ok('plugin', 'sign', file, '--key', at(`${key}.key`));
    return file;
  };
  const install = (file: string) => told('plugin', 'install', file);
  const stateOf = async (name: string) => {
    const { code, state } = await controlClient(socket).status(name);
    return code === null ? state : `${state}, ${code}`;
  };
  const restart = async () => {
    await daemon.stop();
    return startDaemon(t, options);
  };
  return { at, bundleOf, dir, install, ok, restart, stateOf, told };
}

test('the first key, a new key beside it, and the revocation of the first decide what is installed and what goes on running [P2, P3]', async (t) => {
  const { at, bundleOf, install, ok, restart, stateOf, told } = await appliance(t);
  const [v1, v2, v3] = [at('v1.json'), at('v2.json'), at('v3.json')];
  const old = await bundleOf('old', 'publisher');
  const fresh = await bundleOf('fresh', 'young');
  assert.equal(await install(old), 'trust.document-missing');
  assert.equal(await told('trust', 'current'), 'trust.document-missing');

  await ok('trust', 'new', v1, '--root', at('root.pub'));
  await ok('trust', 'add', v1, '--role', 'publisher', '--key', at('publisher.pub'));
  await ok('trust', 'sign', v1, '--key', at('root.key'));
  assert.equal(await told('trust', 'install', v1), 'trust.document-missing');
  assert.equal(await told('trust', 'install', v1, '--first'), 'ok');
  assert.equal(await install(old), 'ok');
  assert.equal(await install(fresh), 'trust.unknown-key');
  // Nobody is first a second time, whoever signed it.
  const other = at('other.json');
  await ok('trust', 'new', other, '--root', at('stranger.pub'));
  await ok('trust', 'sign', other, '--key', at('stranger.key'));
  assert.equal(await told('trust', 'install', other, '--first'), 'trust.document-present');
  assert.equal(await told('trust', 'install', other), 'trust.document-version');

  // Rotation: another publisher, and another root that the old one hands over to.
  await ok('trust', 'add', v1, '--role', 'publisher', '--key', at('young.pub'), '--out', v2);
  await ok('trust', 'add', v2, '--role', 'root', '--key', at('root2.pub'));
  await ok('trust', 'remove', v2, '--role', 'root', '--key', at('root.pub'));
  await ok('trust', 'sign', v2, '--key', at('root2.key'));
  assert.equal(await told('trust', 'install', v2), 'trust.unknown-key');
  await ok('trust', 'sign', v2, '--key', at('root.key'));
  assert.equal(await told('trust', 'install', v2), 'ok');
  assert.equal(await told('trust', 'install', v2), 'ok');
  assert.equal(await install(fresh), 'ok');
  assert.deepEqual([await stateOf('old'), await stateOf('fresh')], ['running', 'running']);

  // Revocation: what the key signed ends before the command does; the plugin beside it goes on.
  await ok('trust', 'revoke', v2, '--key', at('publisher.pub'), '--reason', 'stolen', '--out', v3);
  await ok('trust', 'sign', v3, '--key', at('root2.key'));
  assert.equal(await told('trust', 'install', v3), 'ok');
  assert.deepEqual(
    [await stateOf('old'), await stateOf('fresh')],
    ['rejected, trust.key-revoked', 'running'],
  );
  assert.equal(await install(await bundleOf('old', 'publisher', '1.1.0')), 'trust.key-revoked');
  assert.equal(await told('trust', 'install', v2), 'trust.document-version');
  assert.match(
    (await run('trust', 'current', '--socket', at('control.sock'))).out,
    /^version 3|version:? 3/im,
  );

  await restart();
  const judged = async () => {
    const state = await stateOf('old');
    return !['discovered', 'validating'].includes(state) && state;
  };
  assert.equal(await until('the new daemon has judged it', judged, 60_000), 'rejected, trust.key-revoked');
});

test('the first trust document comes with provisioning, and so may the next; one that does not follow refuses the import [P2, I5]', async (t) => {
  const { at, bundleOf, dir, install, ok } = await appliance(t);
  const [v1, v2] = [at('trust.json'), at('v2.json')];
  await ok('trust', 'new', v1, '--root', at('root.pub'));
  await ok('trust', 'add', v1, '--role', 'publisher', '--key', at('publisher.pub'));
  await ok('trust', 'sign', v1, '--key', at('root.key'));
  const file = at('autoweave.json');
  await writeFile(file, '{}');
  const provision = () => run('provision', '--from', file, '--to', path.join(dir, 'state'));
  assert.match((await provision()).out, /trust\/trust\.json/);
  assert.doesNotMatch((await provision()).out, /trust\.json/);
  assert.equal(await install(await bundleOf('old', 'publisher')), 'ok');

  await ok('trust', 'add', v1, '--role', 'publisher', '--key', at('young.pub'), '--out', v2);
  await ok('trust', 'sign', v2, '--key', at('stranger.key'));
  copyFileSync(v1, at('kept.json'));
  copyFileSync(v2, v1);
  const refused = await provision();
  assert.deepEqual([refused.code !== 0, /trust\.unknown-key/.test(refused.err)], [true, true]);
  await ok('trust', 'sign', v2, '--key', at('root.key'));
  copyFileSync(v2, v1);
  assert.match((await provision()).out, /trust\/trust\.json/);
  assert.equal(await install(await bundleOf('fresh', 'young')), 'ok');
  // The old file, left on the medium, changes nothing.
  copyFileSync(at('kept.json'), v1);
  assert.equal((await provision()).code, 0);
  assert.equal(await install(await bundleOf('fresh', 'young', '1.1.0')), 'ok');
});
