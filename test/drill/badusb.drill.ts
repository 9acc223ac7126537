// [U7] The guard's table: ordinary gear and attack shapes, with true and false blocks counted. `--n` varies times, ports and serials
// of the cases at random; a case that then gets another answer than the plain one is said.
import { createGuard, type GuardScore } from '../../src/policy/guard/create-guard.ts';
import { type GuardCase, guardCases } from '../policy/badusb-cases.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import type { Drill } from './drill.ts';

const LIMIT = 100;

export interface GuardTable {
  readonly trueBlocks: number;
  readonly falseBlocks: readonly string[];
  readonly missed: readonly string[];
  readonly attacks: number;
  readonly ordinary: number;
}

export function guardTable(say: (line: string) => void): GuardTable {
  const falseBlocks: string[] = [];
  const missed: string[] = [];
  let trueBlocks = 0;
  for (const each of guardCases) {
    const { score, evidence } = highestScore(each);
    const isBlocked = score >= LIMIT;
    if (isBlocked && each.isAttack) trueBlocks++;
    if (isBlocked && !each.isAttack) falseBlocks.push(each.name);
    if (!isBlocked && each.isAttack) missed.push(each.name);
    const why = evidence.map(({ code, points }) => `${code} ${points}`).join(', ');
    const verdict = isBlocked === each.isAttack ? 'right' : 'WRONG';
    say(
      `${each.isAttack ? 'attack  ' : 'ordinary'} ${String(score).padStart(4)} ${verdict}  ${each.name}${why === '' ? '' : ` (${why})`}`,
    );
  }
  const attacks = guardCases.filter(({ isAttack }) => isAttack).length;
  return { trueBlocks, falseBlocks, missed, attacks, ordinary: guardCases.length - attacks };
}

export const drill: Drill = {
  about: 'ordinary gear and attack shapes through the BadUSB guard: true and false blocks',
  rounds: 10_000,
  async run({ n, seed, say }) {
    const { trueBlocks, falseBlocks, missed, attacks, ordinary } = guardTable(say);
    say(`true blocks ${trueBlocks} of ${attacks}, false blocks ${falseBlocks.length} of ${ordinary}`);
    for (const name of falseBlocks) say(`  false block: ${name}`);
    for (const name of missed) say(`  not seen: ${name}`);
    const random = seededRandom(seed);
    let changed = 0;
    for (let round = 0; round < n; round++) {
      const original = random.pick(guardCases);
      const plain = highestScore(original).score >= LIMIT;
      if (highestScore(varied(original, random)).score >= LIMIT === plain) continue;
      changed++;
      if (changed <= 10)
        say(`round ${round} of seed ${seed}: "${original.name}" is judged otherwise when moved`);
    }
    return changed;
  },
};

function highestScore({ sights, label = '', reportsPerSecond }: GuardCase): GuardScore {
  const guard = createGuard();
  let highest: GuardScore = { score: 0, evidence: [], held: [] };
  const consider = (found: GuardScore) => {
    if (found.score > highest.score) highest = found;
  };
  for (const sight of sights) consider(guard.saw(sight, label));
  const last = sights.at(-1);
  if (last !== undefined && reportsPerSecond !== undefined)
    consider(guard.typed(last.port, reportsPerSecond, last.uptimeMs + 2_000, label));
  return highest;
}

/** Another time of day, another socket, another copy of the device: none of it may matter. */
function varied(original: GuardCase, random: SeededRandom): GuardCase {
  const shiftMs = random.integer(1_000_000_000);
  const bus = 1 + random.integer(9);
  const suffix = String(random.integer(1_000_000));
  const sights = original.sights.map((sight) => ({
    ...sight,
    port: sight.port.replace(/^\d+/, String(bus)),
    serial: sight.serial === '' ? '' : `${sight.serial}${suffix}`,
    uptimeMs: sight.uptimeMs + shiftMs,
  }));
  return { ...original, sights };
}
