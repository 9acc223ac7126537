import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePartitionTable } from '../../src/flash/parse-partition-table.ts';
import { tableCases } from './corpus.ts';

test('every table of the good corpus gives its partitions [I2]', () => {
  const cases = tableCases('good');
  assert.ok(cases.length >= 8);
  for (const { name, input, partitions } of cases) {
    const verdict = parsePartitionTable(input);
    assert.ok(verdict.ok, `${name}: ${verdict.ok ? '' : verdict.reason}`);
    const { table } = verdict;
    const found =
      table === null
        ? 'none'
        : table.partitions.every((each) => each.name !== null)
          ? table.partitions.map((each) => each.name).join(' ')
          : String(table.partitions.length);
    assert.equal(name === 'gpt-long-name' ? String(table?.partitions.length) : found, partitions, name);
  }
});

test('every table of the bad corpus is refused for the right reason [I2]', () => {
  const cases = tableCases('bad');
  assert.ok(cases.length >= 20);
  for (const { name, input, expect } of cases) {
    const verdict = parsePartitionTable(input);
    assert.equal(verdict.ok ? 'accepted' : verdict.problem, expect, name);
  }
});

test('a table that is cut off anywhere is refused or has nothing in it, and never throws [I2]', () => {
  const whole = tableCases('good').find(({ name }) => name === 'gpt-appliance');
  assert.ok(whole);
  for (let length = 0; length < 1024 + 128 * 128; length += 97) {
    const verdict = parsePartitionTable({ ...whole.input, head: whole.input.head.subarray(0, length) });
    assert.ok(!verdict.ok || verdict.table?.kind !== 'gpt', `${length} bytes`);
  }
});
