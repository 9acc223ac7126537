// The rule language of USBGuard as data. Texts (names, serials, hashes) are byte strings: one character per byte, 0 to 255,
// because a device's claim need not be UTF-8 and rules are compared byte by byte.

export type Target = 'allow' | 'block' | 'reject';

export const targets: readonly Target[] = ['allow', 'block', 'reject'];

/** How the values of a rule are compared with those of a device; `equals` when none is written. */
export type SetOperator = 'all-of' | 'one-of' | 'none-of' | 'equals' | 'equals-ordered' | 'match-all';

export const setOperators: readonly SetOperator[] = [
  'all-of',
  'one-of',
  'none-of',
  'equals',
  'equals-ordered',
  'match-all',
];

export interface ValueSet<V> {
  readonly operator: SetOperator;
  /** At least one. */
  readonly values: readonly V[];
}

/** Each is four hex digits as written, or `*`; a `*` for the vendor stands with a `*` for the product alone. */
export interface DeviceId {
  readonly vendor: string;
  readonly product: string;
}

/** null stands for `*`; a protocol is never named below an unnamed subclass. */
export interface InterfacePattern {
  readonly class: number;
  readonly subclass: number | null;
  readonly protocol: number | null;
}

export type Condition = {
  readonly isNegated: boolean;
  /** As written between the parentheses; null without them. */
  readonly argument: string | null;
} & (
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'random'; readonly probability: number }
  /** Seconds since midnight, both ends included. */
  | { readonly kind: 'localtime'; readonly fromSecond: number; readonly toSecond: number }
  | { readonly kind: 'allowed-matches'; readonly query: RuleBody }
  /** null: ever. */
  | { readonly kind: 'rule-applied' | 'rule-evaluated'; readonly withinMs: number | null }
);

export type ConditionKind = Condition['kind'];

/** Everything of a rule but its target. Attributes that are not written match every device. */
export interface RuleBody {
  readonly id?: ValueSet<DeviceId>;
  readonly serial?: ValueSet<string>;
  readonly name?: ValueSet<string>;
  readonly hash?: ValueSet<string>;
  readonly parentHash?: ValueSet<string>;
  readonly viaPort?: ValueSet<string>;
  readonly withInterface?: ValueSet<InterfacePattern>;
  readonly conditions?: ValueSet<Condition>;
  readonly withConnectType?: ValueSet<string>;
  /** For people; takes no part in matching. */
  readonly label?: ValueSet<string>;
}

export interface Rule extends RuleBody {
  readonly target: Target;
}

/** A rule and where it stands; `number` counts rules from 1, `line` lines of the file. */
export interface PlacedRule {
  readonly number: number;
  readonly line: number;
  readonly rule: Rule;
  /** As the printer writes it. */
  readonly text: string;
}

export interface Policy {
  readonly rules: readonly PlacedRule[];
}

/** The words of the language, in the order in which they are printed. */
export const attributeWords = {
  id: 'id',
  serial: 'serial',
  name: 'name',
  hash: 'hash',
  parentHash: 'parent-hash',
  viaPort: 'via-port',
  withInterface: 'with-interface',
  conditions: 'if',
  withConnectType: 'with-connect-type',
  label: 'label',
} as const satisfies Record<keyof RuleBody, string>;
