// Short forms of the drills (`npm run drill -- list`), so that each is known to run and to find nothing.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drill as kill } from '../drill/kill.drill.ts';

test('daemon and Redis killed at every named point lose, repeat and reorder nothing [B5]', async (t) => {
  const failed = await kill.run({ n: 16, seed: 1, say: (line) => t.diagnostic(line) });
  assert.equal(failed, 0);
});
