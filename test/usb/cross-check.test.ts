import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';
import { type HotplugEmitter, startCrossCheck } from '../../src/usb/cross-check.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { until } from '../support/until.ts';

function openCrossCheck(load?: () => Promise<HotplugEmitter>) {
  const metrics = recordingMetrics();
  const said: string[] = [];
  let uptimeMs = 0;
  const unsubscribed = (): void => assert.fail('not subscribed');
  const callbacks = { attach: unsubscribed, detach: unsubscribed };
  const subscriptions: string[] = [];
  const emitter: HotplugEmitter = {
    async addAttach(callback) {
      subscriptions.push('attach');
      callbacks.attach = callback;
    },
    async addDetach(callback) {
      subscriptions.push('detach');
      callbacks.detach = callback;
    },
    async removeAttach() {
      subscriptions.push('no attach');
    },
    async removeDetach() {
      subscriptions.push('no detach');
    },
  };
  const check = startCrossCheck({
    load: load ?? (async () => emitter),
    metrics: metrics.usb,
    report: (state, why) => said.push(`${state}: ${why}`),
    uptimeMs: () => uptimeMs,
    graceMs: 3_000,
  });
  const at = (next: number) => {
    uptimeMs = next;
    check.settle(next);
  };
  return { check, callbacks, metrics, said, subscriptions, at };
}

test('what the package does not report within the grace period counts as missed, once [U1]', async () => {
  const { check, callbacks, metrics, said, at } = openCrossCheck();
  await until('subscribed', () => said.length > 0);
  for (let each = 0; each < 5; each++) check.kernelSaid('attach', 1_000);
  callbacks.attach();
  callbacks.attach();
  at(3_999);
  assert.equal(metrics.total('usb.crossCheckMissed', { kind: 'attach' }), 0);
  callbacks.attach();
  at(4_000);
  at(9_000);
  assert.equal(metrics.total('usb.crossCheckMissed', { kind: 'attach' }), 2);
  assert.equal(said.at(-1), 'ok: kernel 5 attach and 0 detach, usb package 3 and 0, missed 2 and 0');
});

test('a callback that comes before the kernel record is counted for it [U1]', async () => {
  const { check, callbacks, metrics, said, at } = openCrossCheck();
  await until('subscribed', () => said.length > 0);
  at(1_000);
  callbacks.detach();
  check.kernelSaid('detach', 1_001);
  at(9_000);
  assert.equal(metrics.total('usb.crossCheckMissed', { kind: 'detach' }), 0);
});

test('a package that cannot be loaded degrades the cross-check alone [U1]', async () => {
  const { check, metrics, said, at } = openCrossCheck(async () => {
    throw new Error('no addon for this machine');
  });
  await until('said', () => said.length > 0);
  check.kernelSaid('attach', 0);
  at(9_000);
  await check.stop();
  assert.equal(metrics.total('usb.crossCheckMissed', { kind: 'attach' }), 0);
  assert.deepEqual(said, [
    'degraded: the usb package cannot watch the bus (no addon for this machine); everything else goes on',
  ]);
});

test('stopping ends the subscriptions [Q2]', async () => {
  const { check, subscriptions, said } = openCrossCheck();
  await until('subscribed', () => said.length > 0);
  await check.stop();
  assert.deepEqual(subscriptions, ['attach', 'detach', 'no attach', 'no detach']);
});

test('the real package is loaded, with or without a bus, and lets the process end [U1]', () => {
  const module = path.join(import.meta.dirname, '../../src/usb/cross-check.ts');
  const script = `
    import { loadHotplugEmitter, startCrossCheck } from ${JSON.stringify(module)};
    const nothing = { add() {}, set() {} };
    const said = Promise.withResolvers();
    const check = startCrossCheck({
      load: loadHotplugEmitter,
      metrics: { crossCheckMissed: nothing, sourceRecords: nothing, sourceUp: nothing },
      report: (state, why) => { console.log(state, why); said.resolve(); },
      uptimeMs: () => 0,
      graceMs: 1,
    });
    await said.promise;
    await check.stop();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^(ok kernel 0 attach|degraded the usb package cannot watch)/);
});
