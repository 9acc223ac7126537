// Short forms of the drills (`npm run drill -- list`), so that each is known to run and to find nothing.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drill as kill } from '../drill/kill.drill.ts';
import { drill as redisFaults } from '../drill/redis-faults.drill.ts';

test('daemon and Redis killed at every named point lose, repeat and reorder nothing [B5]', async (t) => {
  const failed = await kill.run({ n: 16, seed: 1, say: (line) => t.diagnostic(line) });
  assert.equal(failed, 0);
});

test('a changed byte in an event, and one in the structure of the log, cost what an event tells, and no more [B4]', async (t) => {
  const failed = await redisFaults.run({ n: 2, seed: 8, say: (line) => t.diagnostic(line) });
  assert.equal(failed, 0);
});
