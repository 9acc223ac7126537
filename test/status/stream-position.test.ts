import assert from 'node:assert/strict';
import test from 'node:test';
import { formatEventId, parseEventId } from '../../src/contracts/event.ts';
import { noticeBetween, streamStart } from '../../src/status/stream-position.ts';

const id = (text: string) => parseEventId(text) ?? assert.fail(text);

/** `from`, and the code of the notice if there is one. */
function start(asked: { readonly lastEventId?: string; readonly last?: string }, lastId: string, unseen = 0) {
  const { lastEventId = null, last = null } = asked;
  const { from, notice } = streamStart({ lastEventId, last }, id(lastId), unseen);
  return [formatEventId(from), ...(notice === null ? [] : [notice.code])].join(' ');
}

test('a listener starts after the event it has, at the newest N, or now [S3]', () => {
  assert.equal(start({ lastEventId: '3-5' }, '3-9'), '3-5');
  assert.equal(start({ lastEventId: '3-9' }, '3-9'), '3-9');
  assert.equal(start({ last: '4' }, '3-9'), '3-5');
  assert.equal(start({ last: '40' }, '3-9'), '3-0');
  assert.equal(start({ last: '-4' }, '3-9'), '3-9');
  assert.equal(start({}, '3-9'), '3-9');
  assert.equal(start({ lastEventId: '' }, '3-9'), '3-9');
});

test('an event that is beyond the store is unknown, in this generation and in a newer one [S3]', () => {
  assert.equal(start({ lastEventId: '3-10' }, '3-9'), '3-9 stream.unknown-id');
  assert.equal(start({ lastEventId: '4-1' }, '3-9'), '3-9 stream.unknown-id');
  assert.equal(start({ lastEventId: '29920320-1' }, '3-9'), '3-9 stream.unknown-id');
  const { notice } = streamStart({ lastEventId: '29920320-1', last: null }, id('3-9'));
  assert.match(
    notice?.message ?? '',
    /29920320-1 is not in the buffer, whose last is 3-9, and its generation is newer/,
  );
});

test('what was stored while the place of a listener was unknown is not withheld from it [S3]', () => {
  assert.equal(start({}, '3-9', 5), '3-4');
  assert.equal(start({ last: '2' }, '3-9', 5), '3-4');
  assert.equal(start({ last: '8' }, '3-9', 5), '3-1');
  assert.equal(start({ lastEventId: '9-1' }, '3-9', 5), '3-4 stream.unknown-id');
  assert.equal(start({ lastEventId: '3-2' }, '3-9', 5), '3-2');
  assert.equal(streamStart({ lastEventId: null, last: null }, id('3-9'), 5).mayJump, true);
});

test('between two generations a listener is told that the numbering began again [S3]', () => {
  const between = (before: string, next: string) => noticeBetween(id(before), id(next));
  assert.equal(between('3-5', '3-6'), null);
  assert.equal(between('0-0', '29920320-1'), null);
  assert.equal(between('3-5', '29920320-1')?.code, 'stream.new-generation');
  assert.match(between('3-5', '29920320-1')?.message ?? '', /29920320-1 follows 3-5/);
  assert.equal(between('3-5', '29920320-7')?.code, 'stream.gap');
  assert.match(
    between('3-5', '29920320-7')?.message ?? '',
    /^what followed 3-5 before .* and the events 29920320-1 to 29920320-6 are no longer/,
  );
  assert.match(between('3-5', '3-8')?.message ?? '', /^the events 3-6 to 3-7 are no longer/);
});
