// Two policies -> rules that came, went or moved, and devices whose verdict changes. Pure but for the histories it makes itself.
import { evaluatePolicy, type PolicyContext, type Verdict } from './evaluate-policy.ts';
import type { PolicyDevice } from './policy-device.ts';
import type { PlacedRule, Policy } from './rule.ts';
import { createRuleHistory } from './rule-history.ts';

export interface PolicyDiff {
  readonly added: readonly PlacedRule[];
  readonly removed: readonly PlacedRule[];
  /** In both, but not in the same order among the rules that both have. */
  readonly moved: readonly PlacedRule[];
  readonly devices: readonly { readonly device: PolicyDevice; readonly was: Verdict; readonly is: Verdict }[];
}

export type DiffContext = Omit<PolicyContext, 'allowed' | 'history'>;

export function diffPolicies(
  [before, after]: readonly [Policy, Policy],
  devices: readonly PolicyDevice[],
  context: DiffContext,
): PolicyDiff {
  const old = new Map(before.rules.map((rule) => [rule.text, rule]));
  const added = after.rules.filter(({ text }) => !old.has(text));
  const kept = after.rules.filter(({ text }) => old.has(text));
  const young = new Set(after.rules.map(({ text }) => text));
  const removed = before.rules.filter(({ text }) => !young.has(text));
  let furthest = 0;
  const moved = kept.filter(({ text }) => {
    const number = old.get(text)?.number ?? 0;
    const isBehind = number < furthest;
    furthest = Math.max(furthest, number);
    return isBehind;
  });
  const was = verdictsOf(before, devices, context);
  const is = verdictsOf(after, devices, context);
  const changed = devices.flatMap((device, index) => {
    const [one, other] = [was[index], is[index]];
    return one === undefined || other === undefined || one.target === other.target
      ? []
      : [{ device, was: one, is: other }];
  });
  return { added, removed, moved, devices: changed };
}

/** In the order of the devices, as if they were plugged in one after the other. */
export function verdictsOf(
  policy: Policy,
  devices: readonly PolicyDevice[],
  context: DiffContext,
): readonly Verdict[] {
  const history = createRuleHistory();
  const allowed: PolicyDevice[] = [];
  return devices.map((device) => {
    const verdict = evaluatePolicy(policy, device, { ...context, allowed, history });
    if (verdict.target === 'allow') allowed.push(device);
    return verdict;
  });
}
