import assert from 'node:assert/strict';
import test from 'node:test';
import type { HealthReport, PartState } from '../../../src/contracts/health.ts';
import { ledStates } from '../../../src/status/leds/led-states.ts';
import { type LedCircumstances, toLedState } from '../../../src/status/leds/to-led-state.ts';

const report = (state: PartState, parts: Readonly<Record<string, PartState>>): HealthReport => ({
  state,
  simulated: false,
  parts: Object.fromEntries(
    Object.entries(parts).map(([name, of]) => [
      name,
      {
        state: of,
        why: 'as the test says',
        since: '2026-11-21T00:00:00.000Z',
        ageSeconds: 0,
        clock: 'synced',
      },
    ]),
  ),
});
const good = report('ok', { 'usb-monitor': 'ok', buffer: 'ok', uplink: 'ok' });
const led = (changes: Partial<LedCircumstances>) =>
  toLedState({ health: good, activity: null, brokerConfigured: true, ...changes });

test('the LED shows the most urgent of what is true at once [S2]', () => {
  const fault = report('down', { 'usb-monitor': 'ok', buffer: 'down', uplink: 'ok' });
  assert.equal(led({}), 'good');
  assert.equal(led({ activity: 'identify', health: fault }), 'identify');
  assert.equal(led({ activity: 'updating', health: fault }), 'fault');
  assert.equal(led({ activity: 'updating' }), 'updating');
});

test('the LED tells starting, unconfigured, offline and merely imperfect apart [S2]', () => {
  const starting = report('unknown', { 'usb-monitor': 'unknown', buffer: 'unknown', uplink: 'unknown' });
  const connecting = report('unknown', { 'usb-monitor': 'ok', buffer: 'ok', uplink: 'unknown' });
  const offline = report('degraded', { 'usb-monitor': 'ok', buffer: 'ok', uplink: 'down' });
  const imperfect = report('degraded', {
    'usb-monitor': 'ok',
    buffer: 'ok',
    uplink: 'ok',
    clock: 'degraded',
  });
  assert.equal(led({ health: starting }), 'booting');
  assert.equal(led({ health: connecting }), 'booting');
  assert.equal(led({ health: imperfect, brokerConfigured: false }), 'setting-up');
  assert.equal(led({ health: offline }), 'buffering-offline');
  assert.equal(led({ health: imperfect }), 'attention');
});

test('no two states look the same, and every one can be seen [S2]', () => {
  const looks = Object.values(ledStates).map(({ onMs, offMs }) => `${onMs}/${offMs}`);
  assert.equal(new Set(looks).size, looks.length);
  for (const [state, { onMs, offMs, meaning }] of Object.entries(ledStates)) {
    assert.ok(onMs >= 50 && (offMs === 0 || offMs >= 50), state);
    assert.ok(meaning.endsWith('.'), state);
  }
});
