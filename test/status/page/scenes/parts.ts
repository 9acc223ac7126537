// When things happened in the scenes, and how the parts of a healthy appliance are.
import type { HealthReport, PartState } from '../../../../src/contracts/health.ts';

const now = Date.now();
export const before = (seconds: number) => new Date(now - seconds * 1_000).toISOString();

export const part = (state: PartState, why: string, ageSeconds: number) => ({
  state,
  why,
  since: before(11_532),
  ageSeconds,
  clock: 'synced' as const,
});

export const goodParts: HealthReport['parts'] = {
  'usb-monitor': part('ok', 'udevadm monitor runs; its last record came 12 s ago', 1),
  'usb-scan': part('ok', '14 devices in sysfs, as known', 41),
  redis: part('ok', 'answers; every write is on disk before it counts', 0),
  archive: part('ok', '0 segments, 3.8 GB free', 22),
  uplink: part('ok', 'connected to mqtts://broker.acme.example:8883 (MQTT 5)', 2),
  plugins: part('ok', '3 of 3 run in all their limits', 3),
  clock: part('ok', 'synchronized, 1.2 ms off', 17),
  status: part('ok', 'answers on http://192.0.2.17:8480', 4),
};
