// A policy and a device -> allow, block or reject, and by which rule. First match in rule order, otherwise the implicit target.
// Time, randomness and what happened before come in; the history alone is written to.
import { mismatchOf } from './match-rule.ts';
import type { PolicyDevice } from './policy-device.ts';
import type { Condition, PlacedRule, Policy, RuleBody, Target, ValueSet } from './rule.ts';
import type { RuleHistory } from './rule-history.ts';

export interface PolicyContext {
  readonly implicitTarget: Target;
  readonly uptimeMs: number;
  /** Seconds since midnight in the appliance's time zone; null while its clock is not to be trusted. */
  readonly secondOfDay: number | null;
  /** 0 <= x < 1 */
  readonly random: () => number;
  /** Devices that are authorized now, the judged one left out. */
  readonly allowed: readonly PolicyDevice[];
  readonly history: RuleHistory;
}

export interface Verdict {
  readonly target: Target;
  /** null: no rule applies, the implicit target holds. */
  readonly rule: PlacedRule | null;
}

export function evaluatePolicy(policy: Policy, device: PolicyDevice, context: PolicyContext): Verdict {
  for (const rule of policy.rules) {
    if (!appliesTo(rule, device, context)) continue;
    context.history.applied(rule.text, context.uptimeMs);
    return { target: rule.rule.target, rule };
  }
  return { target: context.implicitTarget, rule: null };
}

/**
 * Attributes and conditions; notes that the rule was looked at. A condition that cannot be known (local time without a clock)
 * lets a rule that blocks apply, and one that allows not.
 */
export function appliesTo({ rule, text }: PlacedRule, device: PolicyDevice, context: PolicyContext): boolean {
  const { conditions, target } = rule;
  const isMatch = mismatchOf(rule, device) === null;
  if (conditions === undefined) return isMatch;
  const holds = isMatch && conditionsHold(conditions, (each) => conditionHolds(each, text, context));
  context.history.evaluated(text, context.uptimeMs);
  return holds ?? target !== 'allow';
}

/** All are asked, whatever the first ones say: a rule draws the same number of random values each time. */
function conditionsHold(
  { operator, values }: ValueSet<Condition>,
  holds: (condition: Condition) => boolean | null,
): boolean | null {
  const answers = values.map(holds);
  const isUnknown = answers.includes(null);
  switch (operator) {
    case 'one-of':
      return answers.includes(true) || (isUnknown ? null : false);
    case 'none-of':
      return answers.includes(true) ? false : isUnknown ? null : true;
    case 'all-of':
    case 'equals':
    case 'equals-ordered':
    case 'match-all':
      return answers.includes(false) ? false : isUnknown ? null : true;
  }
}

function conditionHolds(condition: Condition, rule: string, context: PolicyContext): boolean | null {
  const plain = plainConditionHolds(condition, rule, context);
  return plain === null ? null : plain !== condition.isNegated;
}

function plainConditionHolds(condition: Condition, rule: string, context: PolicyContext): boolean | null {
  const { history, secondOfDay, uptimeMs } = context;
  switch (condition.kind) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'random':
      return context.random() < condition.probability;
    case 'localtime':
      return secondOfDay === null
        ? null
        : condition.fromSecond <= secondOfDay && secondOfDay <= condition.toSecond;
    case 'allowed-matches':
      return context.allowed.some((each) => queryMatches(condition.query, each));
    case 'rule-applied':
      return isRecent(history.lastAppliedMs(rule), condition.withinMs, uptimeMs);
    case 'rule-evaluated':
      return isRecent(history.lastEvaluatedMs(rule), condition.withinMs, uptimeMs);
  }
}

/** Conditions of a query are not evaluated. */
function queryMatches(query: RuleBody, device: PolicyDevice): boolean {
  return mismatchOf(query, device) === null;
}

function isRecent(lastMs: number | null, withinMs: number | null, uptimeMs: number): boolean {
  return lastMs !== null && (withinMs === null || uptimeMs - lastMs <= withinMs);
}
