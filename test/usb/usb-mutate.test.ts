import assert from 'node:assert/strict';
import test from 'node:test';
import { drill } from '../drill/usb-mutate.drill.ts';

test('5,000 mutated descriptor sets and transcripts parse or are refused by code [Q3]', async (t) => {
  const lines: string[] = [];
  const failed = await drill.run({ n: 5_000, seed: 1, say: (line) => lines.push(line) });
  for (const line of lines) t.diagnostic(line);
  assert.equal(failed, 0, lines.join('\n'));
});
