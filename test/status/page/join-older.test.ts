// Where live rows and older ones meet, and what is shown where they no longer do.
import assert from 'node:assert/strict';
import test from 'node:test';
import { type FeedRow, joinOlder, type OlderRows } from '../../../src/status/page/model/join-older.ts';

/** From `newest` down to `oldest`. */
const rows = (newest: number, oldest: number): readonly FeedRow[] =>
  Array.from({ length: newest - oldest + 1 }, (_, index) => {
    const id = `1-${newest - index}`;
    return { key: id, event: { id } as FeedRow['event'], notice: null };
  });
const outline = (all: readonly FeedRow[]) => all.map(({ event }) => event?.id ?? 'missing').join(' ');
const notice: FeedRow = { key: 'notice-1', event: null, notice: 'lost' };
const older: OlderRows = { below: '1-5', rows: rows(4, 3), next: '1-3' };

test('older events stand below the last live one, and reading goes on at their end [S1]', () => {
  const first = joinOlder(rows(7, 5), null);
  assert.deepEqual([outline(first.rows), first.kept, first.before], ['1-7 1-6 1-5', null, '1-5']);
  const more = joinOlder([...rows(8, 5), notice], older);
  assert.equal(outline(more.rows), '1-8 1-7 1-6 1-5 missing 1-4 1-3');
  assert.deepEqual([more.kept, more.before], [older, '1-3']);
  assert.equal(joinOlder(rows(7, 5), { ...older, next: null }).before, null);
});

test('where live rows were dropped, or began anew, the hole is told and read from the last live event on [S1]', () => {
  for (const [live, shown, before] of [
    [rows(9, 6), '1-9 1-8 1-7 1-6 missing 1-4 1-3', '1-6'],
    [rows(90, 89), '1-90 1-89 missing 1-4 1-3', '1-89'],
    [[], 'missing 1-4 1-3', null],
  ] as const) {
    const joined = joinOlder(live, { ...older, next: null });
    assert.deepEqual([outline(joined.rows), joined.kept, joined.before], [shown, null, before]);
  }
});

test('no hole is told where nothing older is shown [S1]', () => {
  assert.equal(outline(joinOlder(rows(9, 8), { below: '1-5', rows: [], next: null }).rows), '1-9 1-8');
});
