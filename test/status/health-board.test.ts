import assert from 'node:assert/strict';
import test from 'node:test';
import { HealthReport } from '../../src/contracts/health.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { createHealthBoard } from '../../src/status/health-board.ts';
import { fakeClock } from '../support/fake-clock.ts';

const essential = ['usb', 'redis'];

test('a part that has not reported is unknown, and so is an appliance of which nothing is known [S7]', () => {
  const board = createHealthBoard({ clock: fakeClock(), simulated: true, essential });
  assert.equal(board.report().state, 'unknown');
  board.reporter('usb');
  const report = board.report();
  assert.equal(report.parts.usb?.state, 'unknown');
  assert.equal(report.simulated, true);
  assert.deepEqual(schemaCheck(HealthReport)(report), { ok: true, value: report });
});

test('the worst part gives the state; one that is not essential only degrades it [S7]', () => {
  const board = createHealthBoard({ clock: fakeClock(), simulated: false, essential });
  const [usb, redis, uplink, page] = ['usb', 'redis', 'uplink', 'page'].map((part) => board.reporter(part));
  usb?.('ok', 'watching');
  assert.equal(board.report().state, 'unknown');
  redis?.('degraded', 'slow');
  assert.equal(board.report().state, 'degraded');
  uplink?.('down', 'no broker');
  assert.equal(board.report().state, 'degraded');
  redis?.('down', 'gone');
  assert.equal(board.report().state, 'down');
  for (const report of [redis, uplink, page]) report?.('ok', 'fine');
  assert.equal(board.report().state, 'ok');
});

test('ages grow, a confirmation resets them, and the beginning of a state stays [S7]', () => {
  const clock = fakeClock();
  const board = createHealthBoard({ clock, simulated: false, essential });
  const usb = board.reporter('usb');
  usb('ok', 'watching');
  const began = board.report().parts.usb?.since;
  clock.advance(12_340);
  assert.equal(board.report().parts.usb?.ageSeconds, 12.3);
  usb('ok', 'watching, 3 devices');
  assert.deepEqual(board.report().parts.usb, {
    state: 'ok',
    why: 'watching, 3 devices',
    since: began,
    ageSeconds: 0,
    clock: 'synced',
  });
  usb('down', 'udevadm ended');
  assert.notEqual(board.report().parts.usb?.since, began);
});

test('a state that nobody confirms is shown as unknown after its time, with what it was [S7]', () => {
  const clock = fakeClock();
  const board = createHealthBoard({ clock, simulated: false, essential });
  const usb = board.reporter('usb', { maxAgeMs: 10_000 });
  usb('ok', 'watching');
  clock.advance(10_000);
  assert.equal(board.report().state, 'ok');
  clock.advance(5_000);
  const part = board.report().parts.usb;
  assert.equal(part?.state, 'unknown');
  assert.match(part?.why ?? '', /not been confirmed for 15 s; before that it was ok: watching/);
  assert.equal(part?.since, new Date(clock.wallMs - 5_000).toISOString());
  usb('ok', 'watching');
  assert.equal(board.report().state, 'ok');
});

test('a time from before the clock was right is marked, and set right once it is [S7]', () => {
  const clock = fakeClock();
  clock.synced = false;
  clock.wallMs = 0;
  const board = createHealthBoard({ clock, simulated: false, essential });
  board.reporter('usb')('ok', 'watching');
  assert.equal(board.report().parts.usb?.clock, 'unsynced');
  clock.advance(60_000);
  clock.synced = true;
  clock.wallMs = Date.UTC(2026, 10, 20);
  const part = board.report().parts.usb;
  assert.equal(part?.clock, 'synced');
  assert.equal(part?.since, '2026-11-19T23:59:00.000Z');
});

test('listeners are told of news once a turn, not of confirmations, and no more after they left [S7]', async () => {
  const board = createHealthBoard({ clock: fakeClock(), simulated: false, essential });
  const [usb, redis] = [board.reporter('usb'), board.reporter('redis')];
  await Promise.resolve();
  let told = 0;
  const leave = board.onChange(() => {
    told += 1;
  });
  usb('ok', 'watching');
  redis('ok', 'answers');
  await Promise.resolve();
  assert.equal(told, 1);
  usb('ok', 'watching');
  await Promise.resolve();
  assert.equal(told, 1);
  usb('ok', 'watching, 1 device');
  await Promise.resolve();
  assert.equal(told, 2);
  leave();
  usb('down', 'gone');
  await Promise.resolve();
  assert.equal(told, 2);
});
