import assert from 'node:assert/strict';
import test from 'node:test';
import { drill } from '../drill/partition-mutate.drill.ts';

test('5,000 mutated partition tables parse and fit another disk, or are refused by name [I2]', async (t) => {
  const lines: string[] = [];
  const failed = await drill.run({ n: 5_000, seed: 1, say: (line) => lines.push(line) });
  for (const line of lines) t.diagnostic(line);
  assert.equal(failed, 0, lines.join('\n'));
});
