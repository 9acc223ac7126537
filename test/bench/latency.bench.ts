// From the kernel record's bytes on the monitor's stdout to Redis's reply that the event is fsynced, debounce 0, through the shipped
// file with the shipped redis.conf; limit: one plain append of the same size on the same Redis.
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startDaemon } from '../support/daemon.ts';
import { histogramQuantiles } from '../support/histogram-quantiles.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const CYCLES = 400;

export async function* bench(): AsyncIterable<BenchRow> {
  yield* withCleanup(async function* (t) {
    const dir = await tempDir(t);
    const bus = usbBus(t, dir);
    const redis = await startRedis(t);
    const limits = await appendAlone(redis.socket);
    const daemon = await startDaemon(t, {
      dir,
      redisSocket: redis.socket,
      config: {
        usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand, portBurst: 10 * CYCLES },
        log: { level: 'info' },
      },
    });
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      bus.plug({ port: '1-1', vendorId: 0x046d, productId: 0xc31c, serial: `S${cycle}` });
      await delay(10);
      bus.unplug('1-1');
      await delay(10);
    }
    const text = await until('every event is stored', async () => {
      const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
      const [, stored] = /^autoweave_event_latency_seconds_count (\d+)$/m.exec(metrics) ?? [];
      return Number(stored) >= 3 * CYCLES && metrics;
    });
    const ours = histogramQuantiles(text, 'autoweave_event_latency_seconds', [0.5, 0.95, 0.99]);
    for (const [index, name] of ['p50', 'p95', 'p99'].entries()) {
      const limit = limits[index] ?? null;
      yield benchRow(
        `kernel record -> fsynced, debounce 0, ${name}`,
        1_000 * (ours[index] ?? Number.NaN),
        limit,
        'ms',
      );
    }
  });
}

/** p50, p95, p99 of one append after the other, in ms. */
async function appendAlone(socket: string): Promise<readonly number[]> {
  const redis = new Redis({ path: socket });
  const payload = 'x'.repeat(900);
  const samples: number[] = [];
  for (let number = 1; number <= 1_000; number += 1) {
    const began = performance.now();
    await redis.xadd('aw:bench', '*', 'e', payload);
    samples.push(performance.now() - began);
  }
  await redis.del('aw:bench');
  redis.disconnect();
  samples.sort((a, b) => a - b);
  return [0.5, 0.95, 0.99].map((quantile) => samples[Math.floor(quantile * samples.length)] ?? Number.NaN);
}
