// prom-client's classes -> the three small interfaces of contracts/metrics.ts.
import * as prom from 'prom-client';
import type { Counter, Gauge, Histogram } from '../contracts/metrics.ts';

/** 0.5 ms … 10 s: from an fsync on a good disk to a broker that is about to be given up. */
const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Labels = Readonly<Record<string, string>>;

export interface MetricMakers {
  counter<L extends string = never>(name: string, help: string, ...labels: L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, ...labels: L[]): Gauge<L>;
  latency<L extends string = never>(name: string, help: string, ...labels: L[]): Histogram<L>;
}

/**
 * A value that is no number (a clock that jumped, a division by nothing) is left out: it would stay in a sum for ever,
 * and a metric is no reason to end the daemon.
 */
export function metricMakers(registry: prom.Registry): MetricMakers {
  const options = <L extends string>(name: string, help: string, labelNames: L[]) => ({
    name: `autoweave_${name}`,
    help,
    labelNames: labelNames as string[],
    registers: [registry],
  });
  return {
    counter(name, help, ...labels) {
      const counter = new prom.Counter(options(name, help, labels));
      return {
        add: (amount: number, values: Labels = {}) => {
          if (amount >= 0 && Number.isFinite(amount)) counter.inc(values, amount);
        },
      };
    },
    gauge(name, help, ...labels) {
      const gauge = new prom.Gauge(options(name, help, labels));
      return {
        set: (value: number, values: Labels = {}) => {
          if (Number.isFinite(value)) gauge.set(values, value);
        },
      };
    },
    latency(name, help, ...labels) {
      const histogram = new prom.Histogram({ ...options(name, help, labels), buckets: latencyBuckets });
      return {
        observe: (value: number, values: Labels = {}) => {
          if (Number.isFinite(value)) histogram.observe(values, value);
        },
      };
    },
  };
}
