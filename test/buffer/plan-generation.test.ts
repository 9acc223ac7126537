import assert from 'node:assert/strict';
import test from 'node:test';
import { type GenerationFacts, planGeneration } from '../../src/buffer/plan-generation.ts';
import { parseEventId, START } from '../../src/contracts/event.ts';

const id = (text: string) => {
  const parsed = parseEventId(text);
  assert.ok(parsed !== null);
  return parsed;
};
/** `3/80/90` generation 3, published 80, stored 90; `3/0/0<2/70/75` with the mark before it. */
function markOf(text: string): GenerationFacts['mark'] {
  if (text === 'absent' || text === 'damaged') return { kind: text };
  const [mark, previous] = text.split('<').map((part) => {
    const [generation = 0, published = 0, stored = 0] = part.split('/').map(Number);
    return { generation, published, stored };
  });
  assert.ok(mark !== undefined);
  return { kind: 'valid', ...mark, previous: previous ?? null };
}

const nowhereElse = { archived: START, read: START };
const minutes = 29_000_000;
const rows: readonly (readonly [
  mark: string,
  last: string,
  acknowledged: string | null,
  next: string,
  note: string | null,
])[] = [
  // Nothing is known, or too little.
  ['absent', '0-0', null, `${minutes}-1`, '0 0 0'],
  ['absent', '4-90', null, `${minutes}-1`, '4 90 90'],
  ['damaged', '0-0', null, `${minutes}-1`, '0 0 0'],
  ['damaged', '4-90', null, `${minutes}-1`, '4 90 90'],
  ['damaged', `${minutes}-5`, null, `${minutes + 1}-1`, `${minutes} 5 5`],
  ['absent', `${minutes + 9}-5`, null, `${minutes + 10}-1`, `${minutes + 9} 5 5`],
  // A whole store: published and stored less than it has, exactly as much, or nothing.
  ['3/80/90', '3-100', null, '3-101', null],
  ['3/80/0', '3-80', null, '3-81', null],
  ['3/80/90', '3-90', null, '3-91', null],
  ['1/0/0', '1-5', null, '1-6', null],
  // Stopped after the generation was begun and before its first event: still unused.
  ['1/0/0', '0-0', null, '1-1', '0 0 0'],
  [`${minutes - 7}/0/0`, '0-0', null, `${minutes - 7}-1`, '0 0 0'],
  ['3/0/0<2/70/75', '2-60', null, '3-1', '2 60 70'],
  ['3/0/0<2/70/75', '0-0', null, '3-1', '2 0 70'],
  ['3/0/0', '2-60', null, '3-1', '2 60 60'],
  // Lost, rolled back, or restored from another time; published or not.
  ['3/80/80', '0-0', null, '4-1', '3 0 80'],
  ['3/80/80', '3-79', null, '4-1', '3 79 80'],
  ['3/80/90', '3-89', null, '4-1', '3 89 80'],
  ['3/0/1', '0-0', null, '4-1', '3 0 0'],
  ['1/0/50', '0-0', null, '2-1', '1 0 0'],
  ['3/80/80', '2-500', null, '4-1', '3 0 80'],
  ['3/0/1<2/70/75', '2-60', null, '4-1', '3 0 0'],
  ['3/80/80', '5-12', null, '6-1', '5 12 12'],
  // During the run what was acknowledged counts, and may have been published.
  ['3/80/80', '3-95', '3-95', '3-96', null],
  ['3/80/80', '3-101', '3-95', '3-102', null],
  ['3/80/80', '3-90', '3-95', '4-1', '3 90 95'],
  ['3/80/80', '0-0', '3-95', '4-1', '3 0 95'],
  ['3/0/0', '2-60', '3-1', '4-1', '3 0 1'],
  ['1/0/0', '0-0', '1-9', '2-1', '1 0 9'],
];

for (const [mark, last, acknowledged, next, note] of rows)
  test(`mark ${mark}, store at ${last}, acknowledged ${acknowledged ?? 'nothing'}: goes on with ${next} [B1]`, () => {
    const plan = planGeneration({
      mark: markOf(mark),
      last: id(last),
      acknowledged: acknowledged === null ? null : id(acknowledged),
      ...nowhereElse,
      wallMs: minutes * 60_000 + 59_999,
      random: () => assert.fail('the clock is plausible'),
    });
    assert.deepEqual(plan.next, id(next));
    assert.equal(plan.isNew, next.endsWith('-1'));
    const said =
      plan.note && `${plan.note.previousGeneration} ${plan.note.previousNumber} ${plan.note.publishedNumber}`;
    assert.equal(said, note);
  });

for (const [mark, last, why] of [
  ['absent', '0-0', /no earlier state was found/],
  ['1/0/0', '0-0', /no earlier state was found/],
  ['absent', '4-90', /mark file is missing/],
  ['damaged', '0-0', /mark file is damaged/],
  ['5/0/0', '4-90', /mark file was missing or damaged/],
  ['3/0/1', '0-0', /store is empty: it was lost/],
] as const)
  test(`mark ${mark} and a store at ${last} are told as ${why.source} [B1]`, () => {
    const wallMs = minutes * 60_000;
    const facts = {
      mark: markOf(mark),
      last: id(last),
      acknowledged: null,
      ...nowhereElse,
      wallMs,
      random: () => 0,
    };
    assert.match(planGeneration(facts).note?.why ?? '', why);
  });

test('a generation without known history is random while the clock was never set, and above what is known [B1]', () => {
  const below: number[] = [];
  const next = (wallMs: number, drawn: number, last = '0-0', mark = 'absent') => {
    const random = (limit: number) => {
      below.push(limit);
      return drawn;
    };
    const facts = { mark: markOf(mark), last: id(last), acknowledged: null, ...nowhereElse, wallMs, random };
    return planGeneration(facts).next.generation;
  };
  const plausible = Date.UTC(2024, 0, 1);
  assert.equal(next(plausible, 41), plausible / 60_000);
  assert.deepEqual(below, []);
  assert.equal(next(plausible - 1, 41), 42);
  assert.equal(next(0, 0, '0-0', 'damaged'), 1);
  assert.equal(next(0, 41, '90-3'), 91);
  assert.equal(next(0, 41, '90-3', 'damaged'), 91);
  assert.deepEqual(below, [28_000_000, 28_000_000, 28_000_000, 28_000_000]);
  assert.ok(
    28_000_000 < plausible / 60_000,
    'a drawn generation may never be above one of a plausible clock',
  );
});

for (const [mark, last, archived, read, next, note] of [
  // The stream is younger than the archive, as it should be.
  ['3/80/90', '3-100', '3-50', '3-20', '3-101', null],
  ['3/80/90', '3-100', '2-900', '2-20', '3-101', null],
  // The stream was lost, and the mark was behind.
  ['3/0/0', '0-0', '3-50', '0-0', '4-1', '3 50 50'],
  ['3/20/20', '3-30', '3-50', '3-50', '4-1', '3 50 50'],
  // The mark is of another time than the archive or the consumers' places.
  ['3/80/90', '3-100', '9-50', '0-0', '10-1', '9 50 50'],
  ['3/80/90', '3-100', '0-0', '9-50', '10-1', '3 100 80'],
  // The mark is lost, and the clock was never set: what is drawn must not be read before what is kept.
  ['absent', '0-0', '70-50', '0-0', '71-1', '70 50 50'],
  ['damaged', '0-0', '70-50', '80-50', '81-1', '70 50 50'],
  ['absent', '0-0', '0-0', '70-50', '71-1', '0 0 0'],
] as const)
  test(`mark ${mark}, stream at ${last}, archive at ${archived}, consumers at ${read}: goes on with ${next} [B3]`, () => {
    const facts = { mark: markOf(mark), last: id(last), acknowledged: null, wallMs: 0, random: () => 4 };
    const plan = planGeneration({ ...facts, archived: id(archived), read: id(read) });
    assert.deepEqual(plan.next, id(next));
    const said =
      plan.note && `${plan.note.previousGeneration} ${plan.note.previousNumber} ${plan.note.publishedNumber}`;
    assert.equal(said, note);
  });
