import assert from 'node:assert/strict';
import test from 'node:test';
import { createLockOut } from '../../../src/status/access/lock-out.ts';
import { createSessions } from '../../../src/status/access/sessions.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const MINUTE = 60_000;

test('a session ends after 30 minutes without use, and after 12 hours whatever happens [S8]', () => {
  const clock = fakeClock();
  const sessions = createSessions(clock);
  const { token } = sessions.open('ada');
  clock.advance(29 * MINUTE);
  assert.ok(sessions.find(token, { renew: true }));
  clock.advance(29 * MINUTE);
  assert.ok(sessions.find(token, { renew: false }));
  clock.advance(2 * MINUTE);
  assert.equal(sessions.find(token, { renew: true }), null, 'what the page asks by itself does not count');
  const second = sessions.open('ada').token;
  for (let minutes = 0; minutes <= 12 * 60; minutes += 20) {
    assert.ok(sessions.find(second, { renew: true }), `${minutes} min`);
    clock.advance(20 * MINUTE);
  }
  assert.equal(sessions.find(second, { renew: true }), null);
});

test('one user has 8 sessions at most, all together 64; the oldest goes [S8]', () => {
  const sessions = createSessions(fakeClock());
  const find = ({ token }: { token: string }) => sessions.find(token, { renew: true })?.user;
  const own = Array.from({ length: 9 }, () => sessions.open('ada'));
  assert.deepEqual(own.map(find), [undefined, ...Array<string>(8).fill('ada')]);
  const others = Array.from({ length: 64 }, (_, index) => sessions.open(`user${index}`));
  assert.equal(own.map(find).filter((name) => name !== undefined).length, 0);
  assert.equal(others.map(find).filter((name) => name !== undefined).length, 64);
});

test('a changed user is logged out everywhere but where he is [S8]', () => {
  const sessions = createSessions(fakeClock());
  const [here, there, other] = [sessions.open('ada'), sessions.open('ada'), sessions.open('bob')];
  sessions.closeAll('ada', here.session);
  const found = [here, there, other].map(({ token }) => sessions.find(token, { renew: true }) !== null);
  assert.deepEqual(found, [true, false, true]);
});

test('after some failures each attempt waits longer, and success clears it [S8]', () => {
  const clock = fakeClock();
  const lock = createLockOut({ uptimeMs: clock.uptimeMs, free: 3, firstMs: 1_000, longestMs: 8_000 });
  const waits: number[] = [];
  for (let tries = 0; tries < 9; tries++) {
    const waitMs = lock.attempt('ada');
    waits.push(waitMs);
    if (waitMs > 0) {
      assert.equal(lock.attempt('ada'), waitMs, 'being refused costs no attempt');
      clock.advance(waitMs);
      assert.equal(lock.attempt('ada'), 0);
    }
  }
  assert.deepEqual(waits, [0, 0, 0, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  assert.equal(lock.attempt('bob'), 0, 'others do not wait');
  lock.succeeded('ada');
  assert.equal(lock.attempt('ada'), 0);
});

test('a hundred thousand names use bounded memory and do not free the one under attack [S8]', () => {
  const clock = fakeClock();
  const lock = createLockOut({ uptimeMs: clock.uptimeMs, free: 1, firstMs: 60_000, longestMs: 60_000 });
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 100_000; n++) lock.attempt(`name${n}`);
  lock.attempt('ada');
  assert.ok(lock.attempt('ada') > 0);
  assert.ok(process.memoryUsage().heapUsed - before < 20_000_000);
});

test('an attempt that is taken back leaves everything as it was before it [S8]', () => {
  const clock = fakeClock();
  const lock = createLockOut({ uptimeMs: clock.uptimeMs, free: 2, firstMs: 1_000, longestMs: 60_000 });
  for (let times = 0; times < 9; times++) {
    assert.equal(lock.attempt('ada'), 0);
    lock.undo('ada');
  }
  assert.deepEqual([lock.attempt('ada'), lock.attempt('ada'), lock.attempt('ada')], [0, 0, 1_000]);
  clock.advance(1_000);
  for (let times = 0; times < 9; times++) {
    assert.equal(lock.attempt('ada'), 0, 'no new wait has begun');
    lock.undo('ada');
  }
  assert.equal(lock.attempt('ada'), 0);
  assert.equal(lock.attempt('ada'), 2_000, 'the failed ones still count');
  lock.undo('bob');
  assert.equal(lock.attempt('bob'), 0);
});
