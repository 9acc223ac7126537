// The bytes of a configuration file, as text -> a JSON object, or everything that is wrong with it as JSON.
import type { ConfigProblem } from './config-problem.ts';
import { shownKind, shownName } from './shown-value.ts';

/** Far above any real configuration; a wrong path (a log, an image) must not be swallowed whole. */
export const CONFIG_MAX_BYTES = 1_048_576;

export type ParsedText =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export function parseConfigText(text: string, file: string): ParsedText {
  const refuse = (problem: ConfigProblem): ParsedText => ({ ok: false, problems: [problem] });
  if (text.length > CONFIG_MAX_BYTES) {
    return refuse({
      code: 'config.too-large',
      path: '',
      message: `${file} has more than ${CONFIG_MAX_BYTES} bytes`,
      remedy: 'Check that this is the configuration file; a real one has a few hundred bytes.',
    });
  }
  // Editors on other systems write a byte order mark, which JSON does not know.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    return refuse({
      code: 'config.not-json',
      path: '',
      message: `${file} is not JSON: ${syntaxText(json, cause)}`,
      remedy: 'Correct that place; comments and trailing commas are not allowed.',
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse({
      code: 'config.wrong-type',
      path: '',
      message: `${file} must hold one object, but holds ${shownKind(value)}`,
      remedy: 'Write the sections inside { }, as `autoweave config show` prints them.',
    });
  }
  const twice = duplicateKeys(json);
  if (twice.length > 0) {
    const problems = twice.map(
      (path): ConfigProblem => ({
        code: 'config.duplicate-key',
        path,
        message: `${file} has ${path} more than once`,
        remedy: 'Keep one of them: the last would silently win.',
      }),
    );
    return { ok: false, problems };
  }
  return { ok: true, value: value as Readonly<Record<string, unknown>> };
}

/** V8's own message quotes the text, which may hold a secret: line and column are enough. */
function syntaxText(json: string, cause: unknown): string {
  const [, position] = /at position (\d+)/.exec(cause instanceof Error ? cause.message : '') ?? [];
  if (position === undefined) return json.trim() === '' ? 'it is empty' : 'it ends too early';
  const before = json.slice(0, Number(position)).split('\n');
  return `unexpected character in line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

/** Paths of the keys that an object of `json` (known to be valid) has twice. A loop, so depth costs no stack. */
function duplicateKeys(json: string): string[] {
  const twice = new Set<string>();
  const open: { readonly keys: Set<string> | null; key: string }[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs;
  for (const [text, colon] of json.matchAll(token)) {
    const top = open.at(-1);
    if (text === '{') open.push({ keys: new Set(), key: '' });
    else if (text === '[') open.push({ keys: null, key: '' });
    else if (text === '}' || text === ']') open.pop();
    else if (colon !== undefined && top?.keys != null) {
      top.key = JSON.parse(text.slice(0, -colon.length)) as string;
      if (!top.keys.has(top.key)) top.keys.add(top.key);
      else if (twice.size < 20)
        twice.add(shownName(open.flatMap(({ key }) => (key === '' ? [] : [key])).join('.')));
    }
  }
  return [...twice];
}
