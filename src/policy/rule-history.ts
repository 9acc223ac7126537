// When each rule last applied and was last evaluated, for the conditions of those names. Keyed by the rule's text, so that it
// survives a change of other rules. Lives in the daemon's memory; a restart forgets it.

export interface RuleHistory {
  lastAppliedMs(rule: string): number | null;
  lastEvaluatedMs(rule: string): number | null;
  applied(rule: string, uptimeMs: number): void;
  evaluated(rule: string, uptimeMs: number): void;
  /** Forgets rules that are no longer in the policy. */
  keepOnly(rules: ReadonlySet<string>): void;
}

export function createRuleHistory(): RuleHistory {
  const appliedMs = new Map<string, number>();
  const evaluatedMs = new Map<string, number>();
  return {
    lastAppliedMs: (rule) => appliedMs.get(rule) ?? null,
    lastEvaluatedMs: (rule) => evaluatedMs.get(rule) ?? null,
    applied: (rule, uptimeMs) => void appliedMs.set(rule, uptimeMs),
    evaluated: (rule, uptimeMs) => void evaluatedMs.set(rule, uptimeMs),
    keepOnly(rules) {
      for (const times of [appliedMs, evaluatedMs])
        for (const rule of times.keys()) if (!rules.has(rule)) times.delete(rule);
    },
  };
}
