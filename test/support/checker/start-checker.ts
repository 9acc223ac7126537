// Runs the checker's two programs for a drill: the recorder while it goes on, the judge at its end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import type { Cleanup } from '../with-cleanup.ts';
import type { Finding, Verdict } from './judge.ts';
import { type Acknowledged, formatAcknowledged } from './record-lines.ts';

export interface CheckerCounts {
  readonly acknowledged: number;
  /** Messages, repeated ones too. */
  readonly arrived: number;
  /** Acknowledged, and not arrived yet. */
  readonly missing: number;
}

export interface Checker {
  /** Holds the two logs. */
  readonly dir: string;
  acknowledged(record: Acknowledged): void;
  /** What is acknowledged from now on is not judged: the daemon goes on, and it could not arrive in time. */
  takeNoMore(): void;
  /** Once everything that was told before is on the recorder's disk. */
  counts(): Promise<CheckerCounts>;
  /** Resolves with true once everything acknowledged has arrived, with false when that takes longer. */
  settled(limitMs: number): Promise<boolean>;
  /** Ends the recording. */
  verdict(): Promise<Verdict>;
}

/** @param filter of the topics to record */
export async function startChecker(
  t: Cleanup,
  brokerUrl: string,
  filter = 'autoweave/v1/+/+/+/event/#',
): Promise<Checker> {
  const dir = await tempDir(t);
  const program = (name: string) => path.join(import.meta.dirname, name);
  const recorder = spawn(process.execPath, [program('record.ts'), brokerUrl, dir, filter], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(recorder, 'exit');
  t.after(async () => {
    recorder.kill('SIGKILL');
    await exited;
  });
  // A recorder that ended is noticed by the next question.
  recorder.stdin.on('error', () => undefined);
  const lines = createInterface(recorder.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('checker: the recorder has ended');
    return value;
  };
  await answer();

  let isOver = false;
  let asking: Promise<unknown> = Promise.resolve();
  const counts = () => {
    const asked = asking.then(async () => {
      recorder.stdin.write('?\n');
      return JSON.parse(await answer()) as CheckerCounts;
    });
    asking = asked.catch(() => undefined);
    return asked;
  };
  return {
    dir,
    acknowledged(record) {
      if (!isOver) recorder.stdin.write(`a ${formatAcknowledged(record)}`);
    },
    takeNoMore() {
      isOver = true;
    },
    counts,
    settled: (limitMs) =>
      until('all arrived', async () => (await counts()).missing === 0, limitMs).catch(() => false),
    async verdict() {
      recorder.stdin.end();
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`checker: the recorder ended with ${code}`);
      const judge = spawn(process.execPath, ['--max-old-space-size=4096', program('judge-logs.ts'), dir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      return JSON.parse(await text(judge.stdout)) as Verdict;
    },
  };
}

/** For the end of a drill: what was found, in lines. */
export function verdictLines(verdict: Verdict): readonly string[] {
  const { acknowledged, arrived, distinct, repeated, generations } = verdict;
  const faults: readonly (readonly [string, Finding])[] = [
    ['lost', verdict.lost],
    ['holes', verdict.holes],
    ['twice under two ids', verdict.twice],
    ['one id for two contents', verdict.reused],
    ['out of order', verdict.outOfOrder],
    ['unannounced generations', verdict.unannounced],
    ['missing, and told by an event', verdict.told],
  ];
  return [
    `acknowledged ${acknowledged}, arrived ${arrived}: ${distinct} distinct, ${repeated} repeated (same id, same bytes), ${generations} generation(s)`,
    faults.map(([name, { count }]) => `${count} ${name}`).join(', '),
    ...faults.flatMap(([name, { first }]) => first.map((each) => `  ${name}: ${each}`)),
  ];
}
