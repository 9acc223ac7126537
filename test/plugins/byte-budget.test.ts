import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import type { Clock } from '../../src/contracts/clock.ts';
import type { EventDraft } from '../../src/contracts/event.ts';
import type { PluginRequest } from '../../src/plugins/protocol/from-host.ts';
import { createAnswers } from '../../src/plugins/services/answer-request.ts';
import { openKvStore } from '../../src/plugins/services/kv-store.ts';
import { createSerialService } from '../../src/plugins/services/serial-service.ts';
import { systemClock } from '../../src/supervisor/system-clock.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const text = 'x'.repeat(60_000);

async function plugin(dir: string, clock: Clock = systemClock(() => true)) {
  const stored: EventDraft[] = [];
  const pending = new Set<Promise<unknown>>();
  const kv = await openKvStore(path.join(dir, 'kv'), 16_777_216);
  const answer = createAnswers({
    ...{
      name: 'probe',
      permissions: { emit: ['seen'], kv: { maxBytes: 16_777_216 }, mqtt: { publish: true } },
    },
    append: async (drafts) => {
      stored.push(...drafts);
      return drafts.map(() => ({ generation: 1, number: stored.length }));
    },
    ...{ clock, traceparent: () => '', kv },
    serial: createSerialService({ allowed: [], sysfsRoot: dir, devRoot: dir, send: () => undefined }),
    publish: async () => null,
    onDenied: () => undefined,
    onEmitted: (storing) => {
      pending.add(storing);
      const settled = () => void pending.delete(storing);
      storing.then(settled, settled);
    },
  });
  const codes = async (requests: readonly PluginRequest[]) => {
    const answers = await Promise.all(requests.map(answer));
    return answers.map((each) => (each.ok ? 'ok' : each.code));
  };
  return { answer, codes, kv, pending, stored };
}

const emits = (count: number) =>
  Array.from({ length: count }, (_, n): PluginRequest => {
    return { op: 'emit', type: 'seen', data: { n, text }, traceparent: null };
  });

test('a plugin that emits more bytes than it may is slowed down, in order, and loses nothing [P6]', {
  timeout: 120_000,
}, async (t) => {
  const { codes, pending, stored } = await plugin(await tempDir(t));
  const beganMs = performance.now();
  // 4 MiB at once and one more in the second: 90 of 60 KB are 5.1 MiB.
  const first = codes(emits(90));
  await Promise.resolve();
  assert.equal(pending.size, 90, 'what waits counts as emitted: an acknowledgement waits for it');
  assert.deepEqual(new Set(await first), new Set(['ok']));
  const tookMs = performance.now() - beganMs;
  assert.ok(tookMs > 900, `${tookMs} ms`);
  assert.deepEqual(
    stored.map(({ data }) => (data as unknown as { readonly n: number }).n),
    Array.from({ length: 90 }, (_, n) => n),
  );
});

test('what a plugin emits or publishes far beyond what it may is refused, and not held in memory [P6]', async (t) => {
  // Stands still: 4 MiB at once, 10 more wait, and 300 of 60 KB are 17.
  const { answer, pending, stored } = await plugin(await tempDir(t), fakeClock());
  const answers = emits(300).map(answer);
  assert.equal(pending.size, 244);
  const last = await answers.at(-1);
  assert.equal(last?.ok === false && last.code, 'request.too-much');
  const publish = await answer({ op: 'mqtt.publish', topic: 'x', payload: text, retain: false });
  assert.equal(publish.ok ? 'sent' : publish.code, 'request.too-much');
  await until('what may be stored at once is', () => stored.length >= 69);
  assert.equal(stored.length + pending.size, 244);
});

test('a plugin that stores more bytes than it may is slowed down, and what it reads meanwhile is what it set [P6, P8]', {
  timeout: 120_000,
}, async (t) => {
  const { answer, codes, kv } = await plugin(await tempDir(t));
  const sets = Array.from({ length: 40 }, (_, n): PluginRequest => {
    return { op: 'kv.set', key: 'a', json: JSON.stringify(`${n} ${text}`) };
  });
  const beganMs = performance.now();
  const setting = codes(sets);
  const read = await answer({ op: 'kv.get', key: 'a' });
  assert.match(read.ok ? String(read.value) : read.code, /^"39 x/);
  assert.deepEqual(new Set(await setting), new Set(['ok']));
  // 2 MiB at once, then 128 KiB a second.
  assert.ok(performance.now() - beganMs > 1_500);
  await kv.close();
  const late = await answer({ op: 'kv.set', key: 'b', json: '1' });
  assert.equal(late.ok ? 'stored' : late.code, 'request.failed');
});
