import assert from 'node:assert/strict';
import test from 'node:test';
import { type GenerationFacts, planGeneration } from '../../src/buffer/plan-generation.ts';
import { parseEventId } from '../../src/contracts/event.ts';

const id = (text: string) => {
  const parsed = parseEventId(text);
  assert.ok(parsed !== null);
  return parsed;
};
/** `3/80` generation 3, published 80; `3/0<2/70` with the mark before it. */
function markOf(text: string): GenerationFacts['mark'] {
  if (text === 'absent' || text === 'damaged') return { kind: text };
  const [mark = '', previous] = text.split('<').map((part) => {
    const [generation = 0, published = 0] = part.split('/').map(Number);
    return { generation, published };
  });
  assert.ok(typeof mark === 'object');
  return { kind: 'valid', ...mark, previous: previous ?? null };
}

const minutes = 29_000_000;
const rows: readonly (readonly [
  mark: string,
  last: string,
  acknowledged: string | null,
  next: string,
  note: string | null,
])[] = [
  ['absent', '0-0', null, '1-1', null],
  ['absent', '4-90', null, '5-1', '4 90 90'],
  ['damaged', '0-0', null, `${minutes}-1`, '0 0 0'],
  ['damaged', '4-90', null, `${minutes}-1`, '4 90 90'],
  ['damaged', `${minutes}-5`, null, `${minutes + 1}-1`, `${minutes} 5 5`],
  // A whole store: published less than stored, exactly as much, or nothing.
  ['3/80', '3-100', null, '3-101', null],
  ['3/80', '3-80', null, '3-81', null],
  ['1/0', '1-5', null, '1-6', null],
  // Stopped after the generation was begun and before its first event: still unused.
  ['1/0', '0-0', null, '1-1', null],
  ['3/0<2/70', '2-60', null, '3-1', '2 60 70'],
  ['3/0<2/70', '0-0', null, '3-1', '2 0 70'],
  ['3/0', '2-60', null, '3-1', '2 60 60'],
  // Lost, rolled back, or restored from another time.
  ['3/80', '0-0', null, '4-1', '3 0 80'],
  ['3/80', '3-79', null, '4-1', '3 79 80'],
  ['3/80', '2-500', null, '4-1', '3 0 80'],
  ['3/80', '5-12', null, '6-1', '5 12 12'],
  // During the run what was acknowledged counts, published or not.
  ['3/80', '3-95', '3-95', '3-96', null],
  ['3/80', '3-101', '3-95', '3-102', null],
  ['3/80', '3-90', '3-95', '4-1', '3 90 80'],
  ['3/0', '2-60', '3-1', '4-1', '3 0 0'],
  ['1/0', '0-0', '1-9', '2-1', '1 0 0'],
];

for (const [mark, last, acknowledged, next, note] of rows)
  test(`mark ${mark}, store at ${last}, acknowledged ${acknowledged ?? 'nothing'}: goes on with ${next} [B1]`, () => {
    const plan = planGeneration({
      mark: markOf(mark),
      last: id(last),
      acknowledged: acknowledged === null ? null : id(acknowledged),
      wallMs: minutes * 60_000 + 59_999,
    });
    assert.deepEqual(plan.next, id(next));
    assert.equal(plan.isNew, next.endsWith('-1'));
    const said =
      plan.note && `${plan.note.previousGeneration} ${plan.note.previousNumber} ${plan.note.publishedNumber}`;
    assert.equal(said, note);
  });
