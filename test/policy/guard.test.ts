import assert from 'node:assert/strict';
import test from 'node:test';
import { drill, guardTable } from '../drill/badusb.drill.ts';

test('of ordinary gear and attacks the guard blocks the right ones; its known mistakes are these and no others [U7]', (t) => {
  const lines: string[] = [];
  const { trueBlocks, falseBlocks, missed, attacks, ordinary } = guardTable((line) => lines.push(line));
  for (const line of lines) t.diagnostic(line);
  assert.ok(attacks >= 15 && ordinary >= 40, `${attacks} attacks, ${ordinary} ordinary devices`);
  assert.deepEqual(falseBlocks, ['KVM switch, not named']);
  assert.deepEqual(missed, [
    'keyboard that types as slowly as a person',
    'hides as a modem, and waits two minutes before it is a keyboard',
  ]);
  assert.equal(trueBlocks, attacks - missed.length);
});

test('time of day, socket and serial number do not change a judgement [U7]', async () => {
  const lines: string[] = [];
  assert.equal(await drill.run({ n: 2_000, seed: 7, say: (line) => lines.push(line) }), 0, lines.join('\n'));
});
