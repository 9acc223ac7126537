// Rules that parse but can hardly be meant -> warnings. Pure.
import type { PlacedRule, Policy, Rule } from './rule.ts';

export interface PolicyWarning {
  readonly line: number;
  readonly text: string;
}

export function lintPolicy(policy: Policy): readonly PolicyWarning[] {
  const warnings: PolicyWarning[] = [];
  const seen = new Map<string, PlacedRule>();
  let catchAll: PlacedRule | null = null;
  for (const placed of policy.rules) {
    const { line, rule, text } = placed;
    const warn = (what: string) => warnings.push({ line, text: what });
    const same = seen.get(text);
    if (catchAll !== null) warn(`is never reached: line ${catchAll.line} matches every device`);
    else if (same !== undefined && rule.conditions === undefined) warn(`says the same as line ${same.line}`);
    if (hasUpperCaseId(rule)) warn('an id with upper-case digits matches nothing: write them in lower case');
    if (isHashForged(rule)) warn('a hash has 44 characters of base64: this one matches nothing');
    seen.set(text, placed);
    if (catchAll === null && isCatchAll(rule)) catchAll = placed;
  }
  return warnings;
}

function hasUpperCaseId({ id }: Rule): boolean {
  return id?.values.some(({ vendor, product }) => /[A-F]/.test(vendor + product)) ?? false;
}

function isHashForged({ hash, parentHash }: Rule): boolean {
  return [hash, parentHash].some((set) => set?.values.some((value) => !/^[A-Za-z0-9+/]{43}=$/.test(value)));
}

function isCatchAll({ target: _, label: __, ...attributes }: Rule): boolean {
  return Object.keys(attributes).length === 0;
}
