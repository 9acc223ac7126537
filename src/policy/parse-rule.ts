// One line of a rule file -> a rule, nothing (blank, comment), or what was wrong where. The grammar is that of
// usbguard-rules.conf(5); README.md lists where this is stricter or more lenient than USBGuard's own parser.
import { LineScanner } from './line-scanner.ts';
import { parseCondition } from './parse-condition.ts';
import { parseDeviceId, parseInterface, parseString } from './parse-values.ts';
import type { RuleFault } from './policy-problem.ts';
import { attributeWords, type Rule, type RuleBody, setOperators, targets, type ValueSet } from './rule.ts';

export type RuleVerdict =
  | { readonly ok: true; readonly rule: Rule | null }
  | { readonly ok: false; readonly fault: RuleFault };

/** `line` is a byte string without its line end. */
export function parseRule(line: string): RuleVerdict {
  const scanner = new LineScanner(line);
  scanner.skipBlanks();
  if (scanner.isAtEnd() || scanner.peek() === '#') return { ok: true, rule: null };
  const rule = parseWholeRule(scanner);
  if (rule !== null) return { ok: true, rule };
  const { fault } = scanner;
  if (fault === null) throw new Error('parse a rule: refused without a reason');
  return { ok: false, fault };
}

function parseWholeRule(scanner: LineScanner): Rule | null {
  const start = scanner.at;
  const word = scanner.match(/[a-z]+/y);
  const target = targets.find((each) => each === word);
  if (target === undefined) return scanner.fail('policy.target', targets.join(', '), start);
  const body = parseRuleBody(scanner, { isLeading: false });
  return body === null ? null : { target, ...body };
}

type Attribute = keyof RuleBody;
type ParseValue<V> = (scanner: LineScanner) => V | null;
type ValueOf<A extends Attribute> = NonNullable<RuleBody[A]> extends ValueSet<infer V> ? V : never;

const valueParsers: { readonly [A in Attribute]: ParseValue<ValueOf<A>> } = {
  id: parseDeviceId,
  serial: parseString,
  name: parseString,
  hash: parseString,
  parentHash: parseString,
  viaPort: parseString,
  withInterface: parseInterface,
  conditions: parseCondition,
  withConnectType: parseString,
  label: parseString,
};
const byWord: ReadonlyMap<string, Attribute> = new Map(
  (Object.keys(attributeWords) as Attribute[]).map((each) => [attributeWords[each], each]),
);
const expectedAttribute = `an attribute (${Object.values(attributeWords).join(', ')}) or the end of the line`;
const attributeWord = /[a-z-]+/y;

/** Attributes up to the end of the line or a comment. `isLeading`: no blank is needed before the first one. */
export function parseRuleBody(
  scanner: LineScanner,
  { isLeading }: { readonly isLeading: boolean },
): RuleBody | null {
  const body: { [A in Attribute]?: ValueSet<ValueOf<A>> } = {};
  for (let isFirst = true; ; isFirst = false) {
    const hadBlank = scanner.skipBlanks() || (isFirst && isLeading);
    if (scanner.isAtEnd() || scanner.peek() === '#') return body as RuleBody;
    if (!hadBlank) return scanner.fail('policy.line-end', 'a blank, or the end of the line');
    // `allow 1234:abcd` is short for `allow id 1234:abcd`.
    if (isFirst && looksLikeId(scanner)) {
      const id = parseDeviceId(scanner);
      if (id === null) return null;
      body.id = { operator: 'equals', values: [id] };
    } else if (!parseAttribute(scanner, body)) return null;
  }
}

function looksLikeId(scanner: LineScanner): boolean {
  return /^([0-9a-fA-F]{4}|\*):/.test(scanner.text.slice(scanner.at, scanner.at + 5));
}

function parseAttribute(scanner: LineScanner, body: { [A in Attribute]?: ValueSet<ValueOf<A>> }): boolean {
  const start = scanner.at;
  const attribute = byWord.get(scanner.match(attributeWord));
  if (attribute === undefined) {
    scanner.fail('policy.attribute', expectedAttribute, start);
    return false;
  }
  const before = body[attribute];
  // USBGuard lets labels alone be repeated, and collects them.
  if (before !== undefined && attribute !== 'label') {
    scanner.fail('policy.attribute-repeated', `${attributeWords[attribute]} only once`, start);
    return false;
  }
  if (!scanner.skipBlanks()) {
    scanner.fail('policy.value', `a blank after ${attributeWords[attribute]}`);
    return false;
  }
  const parsed = parseValueSet(scanner, valueParsers[attribute] as ParseValue<unknown>);
  if (parsed === null) return false;
  const values = [...(before?.values ?? []), ...parsed.values];
  Object.assign(body, { [attribute]: { operator: parsed.operator ?? before?.operator ?? 'equals', values } });
  return true;
}

type Parsed<V> = Omit<ValueSet<V>, 'operator'> & { readonly operator: ValueSet<V>['operator'] | null };

function parseValueSet<V>(scanner: LineScanner, parseValue: ParseValue<V>): Parsed<V> | null {
  const start = scanner.at;
  // Conditions are words too: only what a brace follows is an operator.
  const word = scanner.match(/[a-z-]+(?=[ \t])/y);
  const operator = setOperators.find((each) => each === word) ?? null;
  if (operator === null) scanner.back(start);
  else {
    scanner.skipBlanks();
    if (scanner.peek() !== '{') return scanner.fail('policy.set', `{ after ${operator}`);
  }
  if (scanner.peek() !== '{') {
    const value = parseValue(scanner);
    return value === null ? null : { operator, values: [value] };
  }
  scanner.take('{');
  scanner.skipBlanks();
  const values: V[] = [];
  for (;;) {
    const value = parseValue(scanner);
    if (value === null) return null;
    values.push(value);
    const hadBlank = scanner.skipBlanks();
    if (scanner.take('}')) return { operator, values };
    if (scanner.isAtEnd()) return scanner.fail('policy.set', 'a closing }');
    if (!hadBlank) return scanner.fail('policy.set', 'a blank or } after a value');
  }
}
