// Why a device gets its verdict: every rule up to the one that applies, with what speaks against it. Pure but for the history.
import { appliesTo, type PolicyContext, type Verdict } from './evaluate-policy.ts';
import { mismatchOf } from './match-rule.ts';
import type { PolicyDevice } from './policy-device.ts';
import { attributeWords, type PlacedRule, type Policy } from './rule.ts';

export interface PassedRule {
  readonly rule: PlacedRule;
  /** The attribute that does not match, or `if` for conditions that do not hold. */
  readonly because: string;
}

export interface Explanation extends Verdict {
  readonly passed: readonly PassedRule[];
}

export function explainVerdict(policy: Policy, device: PolicyDevice, context: PolicyContext): Explanation {
  const passed: PassedRule[] = [];
  for (const rule of policy.rules) {
    if (appliesTo(rule, device, context)) return { target: rule.rule.target, rule, passed };
    const attribute = mismatchOf(rule.rule, device);
    passed.push({
      rule,
      because: attribute === null ? attributeWords.conditions : attributeWords[attribute],
    });
  }
  return { target: context.implicitTarget, rule: null, passed };
}
