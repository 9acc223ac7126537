// The end of a drill: waits until everything that was acknowledged and every plug has arrived, and says what has not.
import { setTimeout as delay } from 'node:timers/promises';
import { type Checker, verdictLines } from '../support/checker/start-checker.ts';
import { until } from '../support/until.ts';
import type { PlugAccount } from './plug-account.ts';

const FIRST = 10;

export interface SettleOptions {
  /** Stored plugs may be missing where an event tells of it; which, is judged from the ids alone. */
  readonly isStoreLost?: boolean;
}

/** Ends the recording. Returns the number of faults. */
export async function settle(
  { checker, account }: { readonly checker: Checker; readonly account: PlugAccount },
  limitMs: number,
  say: (line: string) => void,
  { isStoreLost = false }: SettleOptions = {},
): Promise<number> {
  // A plug that is lost is found below.
  if (!isStoreLost)
    await until('every plug has arrived', () => account.faults().lost.length === 0, limitMs).catch(
      () => undefined,
    );
  checker.takeNoMore();
  await (isStoreLost ? untilQuiet(checker) : checker.settled(limitMs));
  const verdict = await checker.verdict();
  for (const line of verdictLines(verdict)) say(line);
  // What has recorded nothing has found nothing.
  if (verdict.acknowledged === 0) say('nothing was acknowledged: this is no proof of anything');
  const isProved = verdict.ok && verdict.acknowledged > 0;
  if (isStoreLost) return isProved ? 0 : 1;
  const plugFaults = Object.entries(account.faults()) as [string, readonly string[]][];
  say(`${account.plugs} plugs: ${plugFaults.map(([name, { length }]) => `${length} ${name}`).join(', ')}`);
  for (const [name, all] of plugFaults) for (const one of all.slice(0, FIRST)) say(`  ${name}: ${one}`);
  return (isProved ? 0 : 1) + plugFaults.filter(([, { length }]) => length > 0).length;
}

/** Until nothing has arrived for two seconds: what is lost can never arrive. */
async function untilQuiet(checker: Checker): Promise<void> {
  for (let before = -1; ; ) {
    const { arrived } = await checker.counts();
    if (arrived === before) return;
    before = arrived;
    await delay(2_000);
  }
}
