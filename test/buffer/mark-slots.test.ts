import assert from 'node:assert/strict';
import test from 'node:test';
import { parseMarkFile, SLOT_BYTES, toSlot } from '../../src/buffer/mark-slots.ts';

const mark = (seq: number, published: number) => ({ seq, generation: 3, published, stored: published + 7 });
const fileOf = (...slots: readonly Buffer[]) => Buffer.concat(slots);

test('a slot is one sector, and the valid slot with the highest sequence wins [B1]', () => {
  assert.equal(toSlot(mark(1, 0)).length, SLOT_BYTES);
  const [older, newer] = [mark(7, 100), mark(8, 200)];
  assert.deepEqual(parseMarkFile(fileOf(toSlot(newer), toSlot(older))), { mark: newer, previous: older });
  assert.deepEqual(parseMarkFile(fileOf(toSlot(older), toSlot(newer))), { mark: newer, previous: older });
});

test('a slot torn at any byte leaves the mark before it or the new one, never another [B1]', () => {
  const [kept, replaced, written] = [mark(8, 1_999), mark(7, 1_000), mark(9, 2_345)];
  const outcomes = new Set<string>();
  for (let cut = 0; cut <= SLOT_BYTES; cut += 1) {
    const torn = fileOf(toSlot(written).subarray(0, cut), toSlot(replaced).subarray(cut));
    const { mark: found } = parseMarkFile(fileOf(toSlot(kept), torn));
    assert.ok(found !== null, `nothing readable when torn at byte ${cut}`);
    outcomes.add(JSON.stringify(found));
  }
  assert.deepEqual([...outcomes].sort(), [JSON.stringify(kept), JSON.stringify(written)].sort());
});

test('one changed byte anywhere in a slot makes it no mark [B1]', () => {
  const slot = toSlot(mark(9, 2_345));
  const line = slot.toString('latin1').trimEnd().length;
  for (let index = 0; index < line; index += 1) {
    const changed = Buffer.from(slot);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.equal(parseMarkFile(changed).mark, null, `byte ${index}`);
  }
});

test('what is no mark file gives no mark [B1]', () => {
  for (const text of [
    '',
    ' ',
    'null',
    '[]',
    '{"v":1}',
    '{"v":2,"seq":1,"generation":1,"published":0,"crc":"0"}',
  ])
    assert.deepEqual(parseMarkFile(Buffer.from(text)), { mark: null, previous: null }, text);
});
