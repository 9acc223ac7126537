// A rule file (or standard input) -> the policy; what is wrong goes to the person with the line and a mark under the place.
import { readFile } from 'node:fs/promises';
import { errorText } from '../../lib/error-text.ts';
import { MAX_POLICY_BYTES, parsePolicy } from '../../policy/parse-policy.ts';
import { type PolicyProblem, problemText } from '../../policy/policy-problem.ts';
import type { Policy } from '../../policy/rule.ts';
import type { CommandContext } from '../command.ts';

export type RulesFile =
  | { readonly ok: true; readonly policy: Policy; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** `-` is standard input. */
export async function readRulesFile(
  file: string,
  context: CommandContext,
  input: ReadInput,
): Promise<RulesFile> {
  let bytes: Uint8Array;
  try {
    bytes = file === '-' ? await input() : await readFile(file);
  } catch (cause) {
    context.complain(`autoweave usb policy: read ${file}: ${errorText(cause)}\n`);
    return { ok: false, problems: [] };
  }
  const verdict = parsePolicy(bytes);
  if (verdict.ok) return { ok: true, policy: verdict.policy, bytes };
  const lines = Buffer.from(bytes.subarray(0, MAX_POLICY_BYTES)).toString('utf8').split('\n');
  for (const problem of verdict.problems)
    context.complain(shown(problem, file, lines[problem.line - 1] ?? ''));
  return verdict;
}

export type ReadInput = () => Promise<Uint8Array>;

export async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    total += chunk.length;
    if (total > MAX_POLICY_BYTES) break;
  }
  return Buffer.concat(chunks);
}

const MAX_SHOWN = 160;

function shown(problem: PolicyProblem, file: string, line: string): string {
  const name = file === '-' ? 'standard input' : file;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a rule file may not write into the terminal.
  const text = line.replace(/\r$/, '').replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
  const mark = problem.column <= MAX_SHOWN ? `    ${' '.repeat(problem.column - 1)}^\n` : '';
  return `${name}:${problemText(problem)}\n    ${text.slice(0, MAX_SHOWN)}\n${mark}`;
}
