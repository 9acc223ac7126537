// The short form of `npm run drill -- redis-faults`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drill } from '../drill/redis-faults.drill.ts';

test('a changed byte in an event, and one in the structure of the log, cost what an event tells, and no more [B4]', async (t) => {
  // From the eighth fault on.
  assert.equal(await drill.run({ n: 2, seed: 8, say: (line) => t.diagnostic(line) }), 0);
});
