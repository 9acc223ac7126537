// One condition after `if`, such as !localtime(08:00-18:00), from where the scanner stands.
import { LineScanner } from './line-scanner.ts';
import { parseRuleBody } from './parse-rule.ts';
import type { Condition, ConditionKind, RuleBody } from './rule.ts';

const kinds: Readonly<Record<ConditionKind, string>> = {
  true: 'true',
  false: 'false',
  random: 'random or random(0.5)',
  localtime: 'localtime(08:00-18:00)',
  'allowed-matches': 'allowed-matches(a rule without its target)',
  'rule-applied': 'rule-applied or rule-applied(HH:MM:SS)',
  'rule-evaluated': 'rule-evaluated or rule-evaluated(HH:MM:SS)',
};

const identifier = /[a-zA-Z-][a-zA-Z0-9-]*/y;
const regular = /[^)\\\r\n]+/y;
const escaped = /\\(x[0-9a-fA-F]{2}|[0-9]{1,3}|[abfnrtv'\\)])/y;
const clock = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/;
const duration = /^(?:(\d{1,4}):(\d{1,2})(?::(\d{1,2}))?|(\d{1,9}))$/;
const probability = /^(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;

export function parseCondition(scanner: LineScanner): Condition | null {
  const isNegated = scanner.take('!');
  const start = scanner.at;
  const word = scanner.match(identifier);
  if (!isKind(word))
    return scanner.fail('policy.condition', `a condition: ${Object.values(kinds).join(', ')}`, start);
  const hasArgument = scanner.peek() === '(';
  const argumentAt = hasArgument ? scanner.at + 1 : scanner.at;
  const argument = hasArgument ? parseArgument(scanner) : null;
  if (argument === null && scanner.fault !== null) return null;
  const rest = meaningOf(word, argument, { scanner, argumentAt });
  return rest === null ? null : { isNegated, argument, ...rest };
}

function isKind(word: string): word is ConditionKind {
  return Object.hasOwn(kinds, word);
}

type Meaning<C = Condition> = C extends Condition ? Omit<C, 'isNegated' | 'argument'> : never;

function meaningOf(
  kind: ConditionKind,
  argument: string | null,
  { scanner, argumentAt }: { readonly scanner: LineScanner; readonly argumentAt: number },
): Meaning | null {
  const refuse = () => scanner.fail('policy.condition', kinds[kind], argumentAt);
  switch (kind) {
    case 'true':
    case 'false':
      return argument === null ? { kind } : refuse();
    case 'random': {
      if (argument === null) return { kind, probability: 0.5 };
      const value = probability.test(argument) ? Number(argument) : Number.NaN;
      return value >= 0 && value <= 1
        ? { kind, probability: value }
        : scanner.fail('policy.condition', 'a probability from 0 to 1', argumentAt);
    }
    case 'localtime': {
      const range = argument === null ? null : parseTimeRange(argument);
      if (range === null) return refuse();
      const [fromSecond, toSecond] = range;
      return fromSecond <= toSecond
        ? { kind, fromSecond, toSecond }
        : scanner.fail(
            'policy.condition',
            'a range that does not pass midnight (write !localtime(06:00-22:00) for the night)',
            argumentAt,
          );
    }
    case 'rule-applied':
    case 'rule-evaluated': {
      if (argument === null) return { kind, withinMs: null };
      const seconds = parseDuration(argument);
      // 0 is what USBGuard keeps for "ever".
      return seconds === null ? refuse() : { kind, withinMs: seconds === 0 ? null : seconds * 1_000 };
    }
    case 'allowed-matches': {
      const query = argument === null ? refuse() : parseQuery(argument, scanner, argumentAt);
      return query === null ? null : { kind, query };
    }
  }
}

/** The text between the parentheses, escapes as written; ends at the first `)` that has no backslash before it. */
function parseArgument(scanner: LineScanner): string | null {
  scanner.take('(');
  const start = scanner.at;
  for (;;) {
    scanner.match(regular);
    if (scanner.peek() === ')') break;
    if (scanner.peek() !== '\\') return scanner.fail('policy.condition', 'a closing parenthesis');
    if (scanner.match(escaped) === '')
      return scanner.fail(
        'policy.condition',
        'one of \\\\ \\) \\xHH (\\x22 for a double quote) in an argument',
      );
  }
  const text = scanner.text.slice(start, scanner.at);
  if (text === '') return scanner.fail('policy.condition', 'an argument between the parentheses');
  scanner.take(')');
  return text;
}

function parseQuery(argument: string, outer: LineScanner, argumentAt: number): RuleBody | null {
  const inner = new LineScanner(argument);
  const query = parseRuleBody(inner, { isLeading: true });
  if (query !== null) return query;
  const { fault } = inner;
  return fault === null ? null : outer.fail(fault.code, fault.expected, argumentAt + fault.at);
}

function parseTimeRange(text: string): readonly [number, number] | null {
  const [from = '', to = from, ...more] = text.split('-');
  const [first, last] = [secondOfDay(from), secondOfDay(to)];
  return first === null || last === null || more.length > 0 ? null : [first, last];
}

function secondOfDay(text: string): number | null {
  const [, hours, minutes, seconds = '0'] = clock.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60) return null;
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

function parseDuration(text: string): number | null {
  const [, hours, minutes, seconds = '0', alone] = duration.exec(text) ?? [];
  if (alone !== undefined) return Number(alone);
  if (hours === undefined || Number(minutes) > 59 || Number(seconds) > 60) return null;
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}
