// Mutated rules, whole files and random bytes through the rule parser: never an exception, and what is accepted is printed in
// a form that gives the same rule and the same text again.
import { isDeepStrictEqual } from 'node:util';
import { parsePolicy } from '../../src/policy/parse-policy.ts';
import { parseRule } from '../../src/policy/parse-rule.ts';
import { printRule } from '../../src/policy/print-rule.ts';
import { corpusLines } from '../policy/corpus.ts';
import { randomRule } from '../policy/random-rule.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import type { Drill } from './drill.ts';

const MAX_MS = 1_000;
const tokens = [
  ...[
    'allow ',
    'block ',
    'reject ',
    'id ',
    'name ',
    'serial ',
    'if ',
    'label ',
    'hash ',
    'via-port ',
    'with-interface ',
  ],
  ...[
    '{ ',
    ' }',
    '"',
    '\\',
    '\\x41',
    '(',
    ')',
    '!',
    '#',
    ' ',
    '\t',
    '\n',
    '\r',
    ':',
    '*',
    '-',
    '\x00',
    '\xff',
  ],
  ...[
    'one-of ',
    'equals-ordered ',
    'match-all ',
    '1234:*',
    '03:01:*',
    'localtime(',
    'allowed-matches(',
    'random(0.5)',
  ],
];

export const drill: Drill = {
  about: 'mutated USB rules: each parses and round-trips exactly, or is refused with a place; 0 crashes',
  rounds: 100_000,
  async run({ n, seed, say }) {
    const random = seededRandom(seed);
    const lines = [...corpusLines('good'), ...corpusLines('bad'), ...corpusLines('differs')].map(
      ({ line }) => line,
    );
    const outcomes = new Map<string, number>();
    let failed = 0;
    for (let round = 0; round < n; round++) {
      const began = performance.now();
      let outcome: string;
      const input = nextInput(random, lines);
      try {
        outcome = input.includes('\n') ? tryFile(input) : tryLine(input);
      } catch (thrown) {
        outcome = `WRONG: threw ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
      }
      if (performance.now() - began > MAX_MS) outcome = `WRONG: took more than ${MAX_MS} ms`;
      if (outcome.startsWith('WRONG')) {
        failed++;
        if (failed <= 10) say(`round ${round} of seed ${seed}: ${JSON.stringify(input)} ${outcome}`);
      } else outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    for (const [outcome, times] of [...outcomes].sort((a, b) => b[1] - a[1]))
      say(`  ${String(times).padStart(9)}  ${outcome}`);
    const accepted = (outcomes.get('rule accepted') ?? 0) / Math.max(n, 1);
    if (n >= 1_000 && (accepted < 0.1 || accepted > 0.9)) {
      say(
        `${(100 * accepted).toFixed(1)} % of the inputs are accepted rules: the mutations try one side only`,
      );
      failed++;
    }
    return failed;
  },
};

function nextInput(random: SeededRandom, lines: readonly string[]): string {
  let text = random.integer(3) === 0 ? printRule(randomRule(random)) : random.pick(lines);
  for (let count = random.integer(4); count > 0; count--) {
    const at = random.integer(text.length + 1);
    const [head, tail] = [text.slice(0, at), text.slice(at)];
    switch (random.integer(5)) {
      case 0:
        text = head + random.pick(tokens) + tail;
        break;
      case 1:
        text = head + tail.slice(1 + random.integer(4));
        break;
      case 2:
        text = head + String.fromCharCode(random.integer(256)) + tail.slice(1);
        break;
      case 3:
        text = head + random.pick(lines).slice(random.integer(20));
        break;
      default:
        text = head + tail.repeat(1 + random.integer(3));
    }
  }
  return text.slice(0, 20_000);
}

function tryLine(line: string): string {
  const verdict = parseRule(line);
  if (!verdict.ok) {
    const { at, code } = verdict.fault;
    return at >= 0 && at <= line.length ? code : `WRONG: a fault at ${at}`;
  }
  if (verdict.rule === null) return 'nothing in the line';
  const text = printRule(verdict.rule);
  const again = parseRule(text);
  if (!again.ok) return `WRONG: printed as ${text}, refused at ${again.fault.at}`;
  if (!isDeepStrictEqual(again.rule, verdict.rule)) return `WRONG: printed as ${text}, another rule`;
  return again.rule !== null && printRule(again.rule) === text
    ? 'rule accepted'
    : `WRONG: printed twice differently`;
}

function tryFile(text: string): string {
  const verdict = parsePolicy(Buffer.from(text, 'latin1'));
  if (verdict.ok) return 'file accepted';
  const lineCount = text.split('\n').length;
  const isPlaced = verdict.problems.every(
    ({ line, column }) => line >= 1 && line <= lineCount && column >= 1,
  );
  return isPlaced ? 'file refused' : 'WRONG: a problem outside of the file';
}
