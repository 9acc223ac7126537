// AUTOWEAVE_<SECTION>_<KEY> variables -> values for the configuration, coerced by the schema's type.
import { nearestName } from '../lib/nearest-name.ts';
import type { ConfigProblem } from './config-problem.ts';
import { expectedText } from './expected-text.ts';
import { keysOf, type SchemaNode, sections } from './schema-node.ts';
import { shownName, shownValue } from './shown-value.ts';

/** Read beside the configuration: by the start itself, by the scripts around it and by the commands. */
export const reservedVariables: readonly string[] = [
  'AUTOWEAVE_CONFIG',
  'AUTOWEAVE_REDIS_CONF',
  'AUTOWEAVE_SOCKET',
];

export interface EnvironmentValue {
  readonly section: string;
  readonly key: string;
  readonly variable: string;
  readonly value: unknown;
}

/** Each variable that may be set -> the field it sets. */
const fields: ReadonlyMap<string, { readonly section: string; readonly key: string }> = new Map(
  Object.keys(sections).flatMap((section) =>
    Object.keys(keysOf(section)).map((key) => [variableOf(section, key), { section, key }] as const),
  ),
);

/** `usb`, `debounceMs` -> `AUTOWEAVE_USB_DEBOUNCE_MS` */
export function variableOf(section: string, key: string): string {
  const screaming = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `AUTOWEAVE_${screaming(section)}_${screaming(key)}`;
}

/** An empty variable counts as not set: that is how shells and unit files take one away. */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): {
  readonly values: readonly EnvironmentValue[];
  readonly problems: readonly ConfigProblem[];
} {
  const values: EnvironmentValue[] = [];
  const problems: ConfigProblem[] = [];
  for (const [variable, text = ''] of Object.entries(environment)) {
    if (!variable.startsWith('AUTOWEAVE_') || reservedVariables.includes(variable) || text === '') continue;
    const field = fields.get(variable);
    if (field === undefined) {
      problems.push(unknownVariable(variable));
      continue;
    }
    const node = keysOf(field.section)[field.key] ?? {};
    const value = coerce(text, node);
    if (value !== undefined) values.push({ ...field, variable, value });
    else {
      problems.push({
        code: 'config.wrong-type',
        path: `${field.section}.${field.key}`,
        message: `the variable ${variable} must be ${expectedText(node)}, but is ${node.type === 'array' ? 'not JSON of one' : shownValue(text, node)}`,
        remedy:
          node.type === 'array'
            ? 'Write it as JSON: ["first","second"].'
            : 'Correct the variable or unset it.',
      });
    }
  }
  return { values, problems };
}

function unknownVariable(variable: string): ConfigProblem {
  const near = nearestName(variable, [...fields.keys(), ...reservedVariables]);
  return {
    code: 'config.unknown-variable',
    path: shownName(variable),
    message: `the variable ${shownName(variable)} sets nothing that is known`,
    remedy:
      near === null
        ? 'Unset it; `autoweave config schema` lists every key, and AUTOWEAVE_<SECTION>_<KEY> is its variable.'
        : `Did you mean ${near}? Otherwise unset it.`,
  };
}

/** undefined: the text is no value of that type. Ranges and patterns are checked with everything else. */
function coerce(text: string, node: SchemaNode): unknown {
  switch (node.type) {
    case 'integer':
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'array':
      return jsonList(text);
    default:
      return text === 'null' && node.anyOf?.some(({ type }) => type === 'null') === true ? null : text;
  }
}

function jsonList(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    // Not JSON: the caller says what was expected.
    return undefined;
  }
}
