// Stored events -> a plugin's handler -> acknowledged, and a question of the plugin to the appliance and back. Limits: reading the same
// events from the store without a plugin; a message to a worker thread and back.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { openTestWorld, sessionMaker } from '../plugins/plugin-world.ts';
import { until } from '../support/until.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const EVENTS = 20_000;
const QUESTIONS = 2_000;
const LIMIT_MS = 600_000;
const quantiles = [0.5, 0.99];

const counting = `export default { onEvent() {} };`;
const asking = `export default {
  async start({ kv, log }) {
    const samples = [];
    for (let n = 0; n < ${QUESTIONS}; n++) {
      const began = performance.now();
      await kv.get('key');
      samples.push(performance.now() - began);
      if (n % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    samples.sort((a, b) => a - b);
    log.info(JSON.stringify(${JSON.stringify(quantiles)}.map((q) => samples[Math.floor(q * samples.length)])));
  },
};`;

export async function* bench(): AsyncIterable<BenchRow> {
  yield* withCleanup(async function* (t) {
    const test = await openTestWorld(t);
    const counter = await sessionMaker(test, { code: counting });
    const counted = await counter.open();
    await counted.running;
    // Events count from the moment its place in the stream is there.
    const isListening = async () => {
      await test.appendPlugs(0, 1, 1);
      return counted.counters.delivered > 0;
    };
    await until('it gets events', isListening, LIMIT_MS);
    // Whoever reads the same events without a plugin needs a place too: what all have passed is trimmed.
    const reader = await test.buffer.openConsumer('reader', { from: 'now', mayExpire: false });
    const start = reader.position;
    const before = counted.counters.delivered;
    await test.appendPlugs(0, EVENTS, 16);
    const began = performance.now();
    await until('all are handled', () => counted.counters.delivered >= before + EVENTS, LIMIT_MS);
    const ours = EVENTS / ((performance.now() - began) / 1_000);
    await counted.session.stop();

    const readBegan = performance.now();
    for (let from = start, left = EVENTS; left > 0; ) {
      const { events, position } = await test.buffer.read(from, 200);
      left -= events.length;
      from = position;
    }
    const limit = EVENTS / ((performance.now() - readBegan) / 1_000);
    yield benchRow('events delivered to one plugin (backlog)', ours, limit, 'events/s');

    const asker = await sessionMaker(test, {
      ...{ name: 'asker', code: asking, subscriptions: [] },
      permissions: { kv: { maxBytes: 1_024 } },
    });
    const asked = await asker.open();
    await asked.running;
    const log = test.world.log as unknown as { readonly lines: readonly { readonly message: string }[] };
    const answer = log.lines.map(({ message }) => message).find((text) => text.startsWith('['));
    const figures = JSON.parse(answer ?? '[]') as readonly number[];
    await asked.session.stop();
    const echoes = await echo();
    for (const [index, quantile] of quantiles.entries())
      yield benchRow(
        `question of a plugin and its answer, p${quantile * 100}`,
        figures[index] ?? Number.NaN,
        echoes[Math.floor(quantile * echoes.length)] ?? null,
        'ms',
      );
  });
}

async function echo(): Promise<readonly number[]> {
  const worker = new Worker(
    `require('node:worker_threads').parentPort.on('message', (m) => require('node:worker_threads').parentPort.postMessage(m))`,
    { eval: true },
  );
  const samples: number[] = [];
  for (let n = 0; n < QUESTIONS; n += 1) {
    const began = performance.now();
    worker.postMessage(n);
    await once(worker, 'message');
    samples.push(performance.now() - began);
  }
  await worker.terminate();
  return samples.sort((a, b) => a - b);
}
