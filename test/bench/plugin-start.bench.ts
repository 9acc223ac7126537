// A stored, signed plugin -> running, with every layer that this machine can make (named in the row). Limit: Node with a worker, started alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type BenchRow, benchRow } from './bench-row.ts';
import type { PluginStartFigures } from './plugin-start-process.ts';
import { runAsUser } from './run-as-user.ts';

const STARTS = 30;
const alone = `new (require('node:worker_threads').Worker)('1', { eval: true }).once('exit', () => process.stdout.write('x'))`;

export async function* bench(): AsyncIterable<BenchRow> {
  const limits: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    const began = performance.now();
    const child = spawn(process.execPath, ['-e', alone], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    limits.push(performance.now() - began);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const { coldMs, missing, warmMs } = await runAsUser<PluginStartFigures>('plugin-start-process.ts', [
    String(STARTS),
    '1',
  ]);
  const layers =
    missing.length === 0
      ? 'all limits'
      : `without ${missing.map((text) => text.split(':')[0]?.replace(/^no /, '')).join(', ')}`;
  for (const [name, samples] of [
    ['verified anew', coldMs],
    ['verified before', warmMs],
  ] as const)
    for (const quantile of [0.5, 0.95])
      yield benchRow(
        `plugin start, ${name} (${layers}), p${quantile * 100}`,
        at(samples, quantile),
        at(limits, quantile),
        'ms',
      );
}

function at(samples: readonly number[], quantile: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? Number.NaN;
}
