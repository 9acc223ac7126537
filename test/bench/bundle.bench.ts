// How long the one file takes to start, and what an idle appliance keeps in memory. Limits: node's own start and an idle node.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startDaemon } from '../support/daemon.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startRedis } from '../support/redis.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const bundle = path.resolve('dist/autoweave.mjs');

export async function* bench(): AsyncIterable<BenchRow> {
  const ours = median(21, () => timed(() => execFileSync(process.execPath, [bundle, 'version'])));
  const limit = median(21, () => timed(() => execFileSync(process.execPath, ['-e', '0'])));
  yield benchRow('bundle: start to version printed, p50', ours, limit, 'ms');

  yield* withCleanup(async function* (t) {
    const redis = await startRedis(t);
    const broker = await startMosquitto(t);
    const daemon = await startDaemon(t, { redisSocket: redis.socket, brokerUrl: broker.url });
    const idle = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)'], { stdio: 'ignore' });
    t.after(() => void idle.kill());
    // Memory settles once start-up garbage is collected: the figure is the last sample of half a minute.
    const samples: number[] = [];
    for (let second = 0; second < 30; second += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      samples.push(pssMb(daemon.pid));
    }
    yield benchRow(
      'idle appliance without plugins, PSS',
      samples.at(-1) ?? Number.NaN,
      pssMb(idle.pid ?? 0),
      'MB',
    );
  });
}

function timed(run: () => void): number {
  const began = performance.now();
  run();
  return performance.now() - began;
}

function median(n: number, sample: () => number): number {
  const samples = Array.from({ length: n }, sample).sort((a, b) => a - b);
  return samples[Math.floor(n / 2)] ?? Number.NaN;
}

function pssMb(pid: number): number {
  const [, kib] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return (Number(kib) * 1024) / 1e6;
}
