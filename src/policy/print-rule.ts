// Rules -> text, in the form and order in which USBGuard prints them: parsing the text gives the same rule again.
import {
  attributeWords,
  type Condition,
  type DeviceId,
  type InterfacePattern,
  type Rule,
  type RuleBody,
  type ValueSet,
} from './rule.ts';

export function printRule(rule: Rule): string {
  const body = printRuleBody(rule);
  return body === '' ? rule.target : `${rule.target} ${body}`;
}

export function printRuleBody(body: RuleBody): string {
  const parts = [
    printSet(attributeWords.id, body.id, printId),
    printSet(attributeWords.serial, body.serial, printString),
    printSet(attributeWords.name, body.name, printString),
    printSet(attributeWords.hash, body.hash, printString),
    printSet(attributeWords.parentHash, body.parentHash, printString),
    printSet(attributeWords.viaPort, body.viaPort, printString),
    printSet(attributeWords.withInterface, body.withInterface, printInterface),
    printSet(attributeWords.conditions, body.conditions, printCondition),
    printSet(attributeWords.withConnectType, body.withConnectType, printString),
    printSet(attributeWords.label, body.label, printString),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function printSet<V>(word: string, set: ValueSet<V> | undefined, print: (value: V) => string): string {
  if (set === undefined) return '';
  const { operator, values } = set;
  const printed = values.map(print).join(' ');
  if (operator === 'equals' && values.length === 1) return `${word} ${printed}`;
  return `${word} ${operator === 'equals' ? '' : `${operator} `}{ ${printed} }`;
}

/** Bytes that are not printable ASCII become \xHH, so that no device can write into a terminal or a second line. */
export function printString(bytes: string): string {
  const escaped = bytes.replace(/[^ !#-[\]-~]/g, (each) =>
    each === '"' || each === '\\' ? `\\${each}` : `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}

function printId({ vendor, product }: DeviceId): string {
  return `${vendor}:${product}`;
}

export function printInterface({ class: code, subclass, protocol }: InterfacePattern): string {
  return [code, subclass, protocol].map((part) => (part === null ? '*' : hexByte(part))).join(':');
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function printCondition({ isNegated, kind, argument }: Condition): string {
  return `${isNegated ? '!' : ''}${kind}${argument === null ? '' : `(${argument})`}`;
}
