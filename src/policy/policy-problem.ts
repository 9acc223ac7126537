// What can be wrong with a rule file, and how it is said.

export type PolicyCode =
  | 'policy.target'
  | 'policy.attribute'
  | 'policy.attribute-repeated'
  | 'policy.value'
  | 'policy.string'
  | 'policy.set'
  | 'policy.condition'
  | 'policy.line-end'
  | 'policy.too-large';

/** In one line; `at` is an index into it. */
export interface RuleFault {
  readonly code: PolicyCode;
  readonly at: number;
  readonly expected: string;
  readonly found: string;
}

export interface PolicyProblem {
  readonly code: PolicyCode;
  /** Both count from 1; the column counts characters, not bytes. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  readonly found: string;
}

export function problemText({ line, column, expected, found }: PolicyProblem): string {
  return `${line}:${column}: expected ${expected}, found ${found}`;
}
