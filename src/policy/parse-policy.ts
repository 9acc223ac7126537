// A rule file (bytes) -> the policy, or every line that is wrong. Pure.
import { parseRule } from './parse-rule.ts';
import type { PolicyProblem, RuleFault } from './policy-problem.ts';
import { printRule } from './print-rule.ts';
import type { PlacedRule, Policy } from './rule.ts';

export type PolicyVerdict =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] };

/** A thousand rules with hashes are some 200 KB. */
export const MAX_POLICY_BYTES = 1_048_576;
const MAX_PROBLEMS = 100;

export function parsePolicy(bytes: Uint8Array): PolicyVerdict {
  if (bytes.length > MAX_POLICY_BYTES) {
    const found = `${bytes.length} bytes`;
    const expected = `at most ${MAX_POLICY_BYTES} bytes`;
    return { ok: false, problems: [{ code: 'policy.too-large', line: 1, column: 1, expected, found }] };
  }
  const rules: PlacedRule[] = [];
  const problems: PolicyProblem[] = [];
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\n');
  for (const [index, each] of lines.entries()) {
    // Files may come from a FAT volume that was edited elsewhere.
    const text = each.endsWith('\r') ? each.slice(0, -1) : each;
    const parsed = parseRule(text);
    if (!parsed.ok) problems.push(toProblem(parsed.fault, text, index + 1));
    else if (parsed.rule !== null)
      rules.push({
        number: rules.length + 1,
        line: index + 1,
        rule: parsed.rule,
        text: printRule(parsed.rule),
      });
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, policy: { rules } };
}

function toProblem({ code, at, expected, found }: RuleFault, text: string, line: number): PolicyProblem {
  const before = Buffer.from(text.slice(0, at), 'latin1').toString('utf8');
  return { code, line, column: [...before].length + 1, expected, found };
}
