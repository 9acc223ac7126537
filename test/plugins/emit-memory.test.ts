// What plugins emit while the store is away waits in the daemon, whose heap is small.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryQueue } from '../../src/buffer/memory-queue.ts';
import type { EventDraft } from '../../src/contracts/event.ts';
import { createAnswers } from '../../src/plugins/services/answer-request.ts';
import { createSerialService } from '../../src/plugins/services/serial-service.ts';
import { fakeClock } from '../support/fake-clock.ts';

test('256 emits that wait for the store or for their turn take about as much memory as their text [P5]', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const bytes = Number.POSITIVE_INFINITY;
  const queue = new MemoryQueue({ events: 50_000, bytes }, () => undefined);
  const answer = createAnswers({
    ...{ name: 'flood', permissions: { emit: ['own'] }, kv: null, clock: fakeClock() },
    serial: createSerialService({ allowed: undefined, sysfsRoot: '/', devRoot: '/', send: () => undefined }),
    traceparent: () => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    append: (drafts, state = {}) => new Promise((resolve) => queue.push({ drafts, state, resolve })),
    publish: () => assert.fail('it publishes nothing'),
    onDenied: (detail) => assert.fail(detail),
    onEmitted: () => undefined,
  });
  const hostile = `{"a":[${Array.from({ length: 14_000 }, () => '{}').join(',')}]}`;
  collect();
  const before = process.memoryUsage().heapUsed;
  const answers = Array.from({ length: 256 }, () =>
    answer({ op: 'emit', type: 'own', traceparent: null, data: JSON.parse(hostile) as EventDraft['data'] }),
  );
  let answered = 0;
  for (const each of answers) void each.then(() => (answered += 1));
  // What may be written at once is handed on in microtasks.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const taken = process.memoryUsage().heapUsed - before;
  assert.equal(answered, 0, 'none was refused');
  assert.ok(
    queue.size > 64 && queue.size < answers.length,
    `${queue.size} wait for the store, the others for their turn`,
  );
  assert.ok(taken < 3 * 256 * hostile.length, `${taken} bytes for ${256 * hostile.length} of text`);
});
