import assert from 'node:assert/strict';
import test from 'node:test';
import { foldPortFailures } from '../../src/supervisor/fold-port-failures.ts';
import type { ToldPortFailure } from '../../src/usb/kernel-log/start-port-watch.ts';

const failure = (port: string, times: number, code: ToldPortFailure['code'] = 'usb.port-no-answer') =>
  ({
    ...{ port, code, times, sequence: times, why: 'unable to enumerate USB device', remedy: 'Try another.' },
    observed: { uptimeMs: times, wallMs: times, synced: true },
  }) satisfies ToldPortFailure;

test('a loose contact is told at once and once a minute, another port or another fault at once [U1] [U3]', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: string[] = [];
  const folded = foldPortFailures(({ port, code, times }) => void told.push(`${port} ${code} ${times}`));
  for (let times = 1; times <= 1_000; times += 1) folded.take(failure('1-2', times));
  folded.take(failure('1-3', 1));
  assert.deepEqual(told.splice(0), ['1-2 usb.port-no-answer 1', '1-3 usb.port-no-answer 1']);
  t.mock.timers.tick(60_000);
  assert.deepEqual(told.splice(0), ['1-2 usb.port-no-answer 1000']);
  folded.take(failure('1-2', 1_001));
  folded.take(failure('1-2', 1_002));
  folded.take(failure('1-2', 1_003, 'usb.port-over-current'));
  folded.take(failure('1-2', 1_004));
  folded.take(failure('1-2', 1_005, 'usb.port-over-current'));
  assert.deepEqual(told.splice(0), ['1-2 usb.port-no-answer 1001', '1-2 usb.port-over-current 1003']);
  folded.flush();
  assert.deepEqual(told, ['1-2 usb.port-no-answer 1004', '1-2 usb.port-over-current 1005']);
});

test('however many ports fail, the memory is bounded and nothing is left out [U1] [U3]', () => {
  const told = new Map<string, number>();
  const folded = foldPortFailures(({ port, times }) => void told.set(port, times));
  for (let port = 1; port <= 1_000; port += 1) {
    folded.take(failure(`1-${port}`, 1));
    folded.take(failure(`1-${port}`, 2));
  }
  folded.flush();
  assert.equal(told.size, 1_000);
  assert.ok([...told.values()].every((times) => times === 2));
});
