// [L5] Connections to a broker that sends rubbish: each must end with a reason and an outcome for every publish, and no
// exception may reach the process.
import { hostileRound, publishes } from '../support/hostile-round.ts';
import { seededRandom } from '../support/seeded-random.ts';
import type { Drill } from './drill.ts';

export const drill: Drill = {
  about: 'connections to a broker that sends mutated and misplaced packets; 0 crashes, 0 hangs',
  rounds: 100_000,
  async run({ n, seed, say }) {
    const random = seededRandom(seed);
    const uncaught: string[] = [];
    const note = (error: unknown) =>
      void uncaught.push(error instanceof Error ? (error.stack ?? '') : String(error));
    process.on('uncaughtException', note);
    process.on('unhandledRejection', note);
    let connected = 0;
    let failed = 0;
    const reasons = new Map<string, number>();
    for (let round = 0; round < n; round++) {
      try {
        const end = await hostileRound(random);
        const reason = end.why.replaceAll(/\d+/g, 'N').slice(0, 70);
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        if (end.connected) connected += 1;
        if (end.connected && end.outcomes.length !== publishes) {
          failed += 1;
          say(`round ${round}: ${end.outcomes.length} outcomes of ${publishes} (${end.why})`);
        }
      } catch (error) {
        failed += 1;
        say(`round ${round}: ${String(error)}`);
      }
    }
    process.off('uncaughtException', note);
    process.off('unhandledRejection', note);
    for (const stack of uncaught.slice(0, 5)) say(stack);
    const sorted = [...reasons].sort((a, b) => b[1] - a[1]);
    for (const [reason, times] of sorted) say(`${String(times).padStart(8)}  ${reason}`);
    say(`${connected} of ${n} were connected; ${uncaught.length} exceptions reached the process`);
    return failed + uncaught.length;
  },
};
