// The short form of `npm run drill -- kill`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drill } from '../drill/kill.drill.ts';

test('daemon and Redis killed at every named point lose, repeat and reorder nothing [B5]', async (t) => {
  assert.equal(await drill.run({ n: 16, seed: 1, say: (line) => t.diagnostic(line) }), 0);
});
