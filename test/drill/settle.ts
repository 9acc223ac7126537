// The end of a drill: waits until everything that was acknowledged and every plug has arrived, and says what has not.
import { type Checker, verdictLines } from '../support/checker/start-checker.ts';
import { until } from '../support/until.ts';
import type { PlugAccount } from './plug-account.ts';

const FIRST = 10;

/** Ends the recording. Returns the number of faults. */
export async function settle(
  { checker, account }: { readonly checker: Checker; readonly account: PlugAccount },
  limitMs: number,
  say: (line: string) => void,
): Promise<number> {
  await until('every plug has arrived', () => account.faults().lost.length === 0, limitMs).catch(
    () => undefined,
  );
  await checker.settled(limitMs);
  const verdict = await checker.verdict();
  for (const line of verdictLines(verdict)) say(line);
  const plugFaults = Object.entries(account.faults()) as [string, readonly string[]][];
  say(`${account.plugs} plugs: ${plugFaults.map(([name, { length }]) => `${length} ${name}`).join(', ')}`);
  for (const [name, all] of plugFaults) for (const one of all.slice(0, FIRST)) say(`  ${name}: ${one}`);
  return (verdict.ok ? 0 : 1) + plugFaults.filter(([, { length }]) => length > 0).length;
}
