import assert from 'node:assert/strict';
import test from 'node:test';
import { RestartPolicy } from '../../src/plugins/supervise/restart-policy.ts';

test('pauses double between the failures, the eighth in ten minutes opens the circuit, and one after it opens it again [P9]', () => {
  const policy = new RestartPolicy(() => 1);
  const first = Array.from({ length: 7 }, (_, n) => policy.failed(n * 1_000));
  assert.deepEqual(
    first.map(({ inMs, kind }) => [kind, inMs]),
    [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000].map((inMs) => ['retry', inMs]),
  );
  assert.equal(policy.failed(8_000).kind, 'open');
  assert.equal(policy.failed(8_000_000).kind, 'open');
  policy.reset();
  assert.deepEqual(policy.failed(9_000_000), { kind: 'retry', inMs: 500, failures: 1 });
});

test('failures that are ten minutes old, or one event was the cause of, do not count [P9]', () => {
  const policy = new RestartPolicy(() => 0);
  for (let n = 0; n < 7; n++) policy.failed(n * 1_000);
  policy.forgive(3);
  assert.equal(policy.failed(8_000).failures, 5);
  assert.deepEqual(policy.failed(700_000), { kind: 'retry', inMs: 250, failures: 1 });
});
