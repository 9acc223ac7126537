// Random rules that use every word of the language, for round trips and for comparison with USBGuard's parser.
import {
  type Condition,
  type DeviceId,
  type InterfacePattern,
  type Rule,
  setOperators,
  targets,
  type ValueSet,
} from '../../src/policy/rule.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

export function randomRule(random: SeededRandom): Rule {
  const maybe = <K extends string, V>(name: K, make: () => V) =>
    random.integer(3) === 0 ? ({ [name]: make() } as { readonly [key in K]: V }) : {};
  const texts = () => randomSet(random, () => randomText(random));
  return {
    target: random.pick(targets),
    ...maybe('id', () => randomSet(random, () => randomId(random))),
    ...maybe('serial', texts),
    ...maybe('name', texts),
    ...maybe('hash', texts),
    ...maybe('parentHash', texts),
    ...maybe('viaPort', texts),
    ...maybe('withInterface', () => randomSet(random, () => randomInterface(random))),
    ...maybe('conditions', () => randomSet(random, () => randomCondition(random))),
    ...maybe('withConnectType', texts),
    ...maybe('label', texts),
  };
}

function randomSet<V>(random: SeededRandom, value: () => V): ValueSet<V> {
  const isSingle = random.integer(2) === 0;
  if (isSingle) return { operator: 'equals', values: [value()] };
  return {
    operator: random.pick(setOperators),
    values: Array.from({ length: 1 + random.integer(4) }, value),
  };
}

function randomText(random: SeededRandom): string {
  // Line feeds are written as escapes, so every byte may occur.
  return Array.from({ length: random.integer(12) }, () => String.fromCharCode(random.integer(256))).join('');
}

function randomId(random: SeededRandom): DeviceId {
  const part = () => random.integer(65_536).toString(16).padStart(4, '0');
  if (random.integer(8) === 0) return { vendor: '*', product: '*' };
  return { vendor: part(), product: random.integer(4) === 0 ? '*' : part() };
}

function randomInterface(random: SeededRandom): InterfacePattern {
  const subclass = random.integer(3) === 0 ? null : random.integer(256);
  const protocol = subclass === null || random.integer(3) === 0 ? null : random.integer(256);
  return { class: random.integer(256), subclass, protocol };
}

function randomCondition(random: SeededRandom): Condition {
  const isNegated = random.integer(2) === 0;
  const none = { isNegated, argument: null };
  switch (random.integer(5)) {
    case 0:
      return { ...none, kind: random.pick(['true', 'false'] as const) };
    case 1:
      return { isNegated, argument: '0.25', kind: 'random', probability: 0.25 };
    case 2:
      return { isNegated, argument: '08:00-18:30', kind: 'localtime', fromSecond: 28_800, toSecond: 66_600 };
    case 3:
      return { isNegated, argument: '00:10', kind: 'rule-applied', withinMs: 600_000 };
    default: {
      const query = { id: { operator: 'equals', values: [{ vendor: '1234', product: '*' }] } } as const;
      return { isNegated, argument: 'id 1234:*', kind: 'allowed-matches', query };
    }
  }
}
