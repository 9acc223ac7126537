// Metrics that remember: `metrics.total('buffer.appended')`, `metrics.total('usb.malformed', { code: '…' })`.
import type { Metrics } from '../../src/contracts/metrics.ts';

type Labels = Readonly<Record<string, string>>;

export interface RecordingMetrics extends Metrics {
  /** Sum of a counter, last value of a gauge, or number of observations of a histogram. */
  total(name: string, labels?: Labels): number;
}

export function recordingMetrics(): RecordingMetrics {
  const values = new Map<string, number>();
  const keyOf = (name: string, labels: Labels = {}) =>
    `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
  const change = (name: string, labels: Labels | undefined, next: (value: number) => number) => {
    const key = keyOf(name, labels);
    values.set(key, next(values.get(key) ?? 0));
  };
  const folder = (prefix: string) =>
    new Proxy(
      {},
      {
        get: (_target, property) => {
          const name = `${prefix}.${String(property)}`;
          return {
            add: (amount: number, labels?: Labels) => change(name, labels, (value) => value + amount),
            set: (value: number, labels?: Labels) => change(name, labels, () => value),
            observe: (_value: number, labels?: Labels) => change(name, labels, (value) => value + 1),
          };
        },
      },
    );
  return {
    usb: folder('usb'),
    events: folder('events'),
    buffer: folder('buffer'),
    uplink: folder('uplink'),
    webhooks: folder('webhooks'),
    status: folder('status'),
    plugins: folder('plugins'),
    total: (name: string, labels?: Labels) => values.get(keyOf(name, labels)) ?? 0,
  } as RecordingMetrics;
}
