// The short form of `npm run drill -- offline`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drill } from '../drill/offline.drill.ts';

test('20,000 events without a broker arrive in order once it is back, while others keep coming [B3]', async (t) => {
  assert.equal(await drill.run({ n: 20_000, seed: 1, say: (line) => t.diagnostic(line) }), 0);
});
