import assert from 'node:assert/strict';
import test from 'node:test';
import { drill } from '../drill/bundle-mutate.drill.ts';

test('every flipped bit of a bundle is refused, and 2,000 mutated tars never crash the reader [P3]', async (t) => {
  const lines: string[] = [];
  const failed = await drill.run({ n: 2_000, seed: 1, say: (line) => lines.push(line) });
  for (const line of lines) t.diagnostic(line);
  assert.equal(failed, 0, lines.join('\n'));
});
