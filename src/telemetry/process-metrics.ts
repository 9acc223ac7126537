// What this process uses: memory, processor time, and how late its event loop is.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Ten wake-ups a second; prom-client's own default of a hundred would cost as much as everything else when idle. */
const RESOLUTION_MS = 100;

export function addProcessMetrics(registry: Registry): { stop(): void } {
  const registers = [registry];
  new Gauge({
    name: 'autoweave_process_resident_memory_bytes',
    help: 'Resident set size of the daemon, plugin hosts excepted.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'autoweave_process_heap_bytes',
    help: 'JavaScript heap in use.',
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
  new Counter({
    name: 'autoweave_process_cpu_seconds_total',
    help: 'Processor time of the daemon, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'autoweave_process_start_time_seconds',
    help: 'Unix time at which the daemon started, by the clock of now.',
    registers,
    collect() {
      this.set(Math.round(Date.now() / 1000 - process.uptime()));
    },
  });

  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // What Node measures is the distance of two ticks: being on time is RESOLUTION_MS.
  const lagSeconds = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns - RESOLUTION_MS * 1e6) / 1e9 : 0);
  new Gauge({
    name: 'autoweave_process_event_loop_lag_p99_seconds',
    help: 'How late the event loop was, 99th percentile since the previous scrape.',
    registers,
    collect() {
      this.set(lagSeconds(delay.count === 0 ? 0 : delay.percentile(99)));
    },
  });
  new Gauge({
    name: 'autoweave_process_event_loop_lag_max_seconds',
    help: 'How late the event loop was at worst since the previous scrape.',
    registers,
    // Collected after the percentile: the registry keeps the order of registration.
    collect() {
      this.set(lagSeconds(delay.count === 0 ? 0 : delay.max));
      delay.reset();
    },
  });
  return { stop: () => void delay.disable() };
}
