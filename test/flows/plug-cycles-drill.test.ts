// The short form of `npm run drill -- plug-cycles`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileBusCycles } from '../drill/plug-cycles.drill.ts';

test('plug cycles with a Redis hang and a daemon restart arrive once each [Q1]', async (t) => {
  assert.equal(await fileBusCycles(t, { n: 600, seed: 1, say: (line) => t.diagnostic(line) }), 0);
});
