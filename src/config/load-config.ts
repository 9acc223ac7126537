// File text and environment -> the whole configuration, checked, complete and frozen; or everything wrong with it at once.
import type { Config } from '../contracts/config.ts';
import { nearestName } from '../lib/nearest-name.ts';
import { type SchemaProblem, schemaCheck } from '../lib/schema-check.ts';
import type { ConfigProblem } from './config-problem.ts';
import { configSchema } from './config-schema.ts';
import { crossChecks } from './cross-checks.ts';
import { expectedText } from './expected-text.ts';
import { fillItems, isNamedList, joinItems } from './named-list.ts';
import { parseConfigText } from './parse-config-text.ts';
import { readEnvironment } from './read-environment.ts';
import { keysOf, nodeAt, sections } from './schema-node.ts';
import { shownKind, shownName, shownValue } from './shown-value.ts';

export type ConfigVerdict =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

type Draft = Record<string, Record<string, unknown>>;

const check = schemaCheck(configSchema({ marks: false }) as typeof Config);

/**
 * The environment wins over the sealed secrets, these over the file, the file over the defaults.
 * @param source `file` names the text in messages; `text` null means that there is no file.
 */
export function loadConfig(source: {
  readonly file: string | null;
  readonly text: string | null;
  /** What an import took out of the file: see split-secrets.ts. */
  readonly secrets?: { readonly file: string; readonly text: string };
  readonly environment: Readonly<Record<string, string | undefined>>;
}): ConfigVerdict {
  const file = source.file ?? 'the configuration';
  const problems: ConfigProblem[] = [];
  const draft = defaults();
  /** `section.key` -> the name of the file or variable that it came from. */
  const origins = new Map<string, string>();

  for (const layer of [{ file, text: source.text }, source.secrets]) {
    const parsed = layer?.text == null ? null : parseConfigText(layer.text, layer.file);
    if (parsed?.ok === false) problems.push(...parsed.problems);
    if (parsed?.ok === true)
      problems.push(
        ...takeFile(parsed.value, {
          file: layer?.file ?? file,
          draft,
          origins,
          isSealed: layer === source.secrets,
        }),
      );
  }

  const fromEnvironment = readEnvironment(source.environment);
  problems.push(...fromEnvironment.problems);
  for (const { section, key, value, variable } of fromEnvironment.values) {
    setField(draft, section, key, value);
    origins.set(`${section}.${key}`, `the variable ${variable}`);
  }

  fillLists(draft);
  const verdict = check(draft);
  if (!verdict.ok) problems.push(...toProblems(verdict.problems, draft, origins));
  else problems.push(...crossChecks(verdict.value));
  return verdict.ok && problems.length === 0
    ? { ok: true, config: deepFreeze(verdict.value) }
    : { ok: false, problems };
}

function defaults(): Draft {
  return Object.fromEntries(
    Object.keys(sections).map((section) => [
      section,
      Object.fromEntries(
        Object.entries(keysOf(section)).flatMap(([key, node]) =>
          node.default === undefined ? [] : [[key, structuredClone(node.default)]],
        ),
      ),
    ]),
  );
}

function setField(draft: Draft, section: string, key: string, value: unknown): void {
  const fields = draft[section] ?? {};
  fields[key] = value;
  draft[section] = fields;
}

function fillLists(draft: Draft): void {
  for (const [section, content] of Object.entries(draft))
    for (const [key, node] of Object.entries(keysOf(section)))
      if (isNamedList(node)) content[key] = fillItems(content[key], node);
}

/** Copies known keys only, so that `__proto__` and its kind are unknown keys like any other. */
function takeFile(
  value: Readonly<Record<string, unknown>>,
  into: {
    readonly file: string;
    readonly draft: Draft;
    readonly origins: Map<string, string>;
    readonly isSealed: boolean;
  },
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [section, content] of Object.entries(value)) {
    if (!Object.hasOwn(sections, section)) {
      problems.push(unknownKey(section, Object.keys(sections), into.file));
    } else if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      problems.push({
        code: 'config.wrong-type',
        path: section,
        message: `${section} in ${into.file} must be an object, but is ${shownKind(content)}`,
        remedy: `Write "${section}": { … }, or leave the section out.`,
      });
    } else {
      for (const [key, item] of Object.entries(content)) {
        if (!Object.hasOwn(keysOf(section), key)) {
          problems.push(unknownKey(`${section}.${key}`, knownPaths(), into.file));
        } else if (into.isSealed && isNamedList(keysOf(section)[key] ?? {})) {
          setField(into.draft, section, key, joinItems(into.draft[section]?.[key], item));
        } else {
          setField(into.draft, section, key, item);
          into.origins.set(`${section}.${key}`, into.file);
        }
      }
    }
  }
  return problems;
}

function knownPaths(): string[] {
  return Object.keys(sections).flatMap((section) =>
    Object.keys(keysOf(section)).map((key) => `${section}.${key}`),
  );
}

function unknownKey(path: string, known: readonly string[], file: string): ConfigProblem {
  // A key in the wrong section is as common as a misspelt one.
  const name = path.split('.').at(-1);
  const near = known.find((candidate) => candidate.endsWith(`.${name}`)) ?? nearestName(path, known);
  const [section = ''] = path.split('.');
  const allowed = path.includes('.') ? Object.keys(keysOf(section)) : Object.keys(sections);
  return {
    code: 'config.unknown-key',
    path: shownName(path),
    message: `${shownName(path)} in ${file} is not a known key`,
    remedy: near === null ? `Known are ${allowed.join(', ')}.` : `Did you mean ${near}? Otherwise remove it.`,
  };
}

/** A schema may complain several times about one field (each branch of a union): one problem a field is enough. */
function toProblems(
  found: readonly SchemaProblem[],
  draft: Draft,
  origins: ReadonlyMap<string, string>,
): ConfigProblem[] {
  return [...new Map(found.map((problem) => [problem.path, problem])).values()].map((problem) => {
    const steps = problem.path.split('/').slice(1);
    const node = nodeAt(steps) ?? {};
    const field = steps.slice(0, 2).join('.');
    const ofItem = itemProblem(problem, steps, origins.get(field));
    if (ofItem !== null) return ofItem;
    const value = steps.reduce<unknown>(
      (at, step) => (at as Record<string, unknown> | undefined)?.[step],
      draft,
    );
    return {
      code: isOfType(value, node) ? 'config.not-allowed' : 'config.wrong-type',
      path: steps.join('.'),
      message: `${steps.join('.')} in ${origins.get(field) ?? 'the defaults'} must be ${expectedText(node)}, but is ${shownValue(value, node)}`,
      remedy: 'Correct the value, or leave the key out to have its default.',
    };
  });
}

/** A key that an item of a list has too much or too little; of the sections themselves that was said before. */
function itemProblem(
  { message }: SchemaProblem,
  steps: readonly string[],
  origin = 'the defaults',
): ConfigProblem | null {
  const item = steps.slice(0, 3).join('.');
  // A key may have any characters, also those that part the steps.
  const key = steps.slice(3).join('/');
  if (key === '' || (message !== 'is not a known key' && message !== 'is missing')) return null;
  const path = `${item}.${shownName(key)}`;
  if (message === 'is missing')
    return {
      code: 'config.missing',
      path,
      message: `${path} is missing in ${origin}`,
      remedy: `Set ${path}.`,
    };
  const known = Object.keys(nodeAt(steps.slice(0, 3))?.properties ?? {});
  const near = nearestName(key, known);
  return {
    code: 'config.unknown-key',
    path,
    message: `${path} in ${origin} is not a known key`,
    remedy:
      near === null ? `Known are ${known.join(', ')}.` : `Did you mean ${item}.${near}? Otherwise remove it.`,
  };
}

function isOfType(value: unknown, { type = 'string', anyOf }: { type?: string; anyOf?: readonly object[] }) {
  if (anyOf !== undefined) return typeof value === 'string';
  if (type === 'integer' || type === 'number') return typeof value === 'number';
  return type === 'array' ? Array.isArray(value) : typeof value === type;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
