// What a caller wants logged -> plain data without secrets, of bounded depth and width.
import { hideCredentials } from '../lib/hide-credentials.ts';

const secretName =
  /^(key|pin|psk|pass|.*(password|passphrase|secret|token|authorization|cookie|credentials?|api_?key|private_?key))$/i;
const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;
const MAX_TEXT = 4_096;

/** Replaces by `[redacted]`: values under secret names, the userinfo of URLs, bearer tokens, PEM private keys. */
export function redactFacts(facts: object): Record<string, unknown> {
  const redacted = redact(facts, 0);
  return typeof redacted === 'object' && redacted !== null && !Array.isArray(redacted)
    ? (redacted as Record<string, unknown>)
    : { facts: redacted };
}

export function redactText(text: string): string {
  // Cut last: half a secret would not be recognized as one.
  const shown = text
    .split('\n')
    .map(hideCredentials)
    .join('\n')
    .replace(/\b(bearer|basic)\s+[\w+/=.~-]+/gi, '$1 [redacted]')
    // Also when the end of the block was cut off.
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[redacted]');
  return shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}… (${text.length} characters)` : shown;
}

function redact(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'bigint':
    case 'symbol':
    case 'function':
      return redactText(String(value));
    case 'object':
      return value === null ? null : redactObject(value, depth);
    default:
      return value;
  }
}

function redactObject(value: object, depth: number): unknown {
  if (depth > MAX_DEPTH) return '[too deep]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value].slice(0, MAX_ENTRIES).map((item) => redact(item, depth + 1));
    return items;
  }
  const entries = value instanceof Error ? errorEntries(value) : entriesOf(value);
  return Object.fromEntries(
    entries
      .slice(0, MAX_ENTRIES)
      .map(([name, item]) => [
        redactText(name),
        secretName.test(name) ? '[redacted]' : redact(item, depth + 1),
      ]),
  );
}

function entriesOf(value: object): [string, unknown][] {
  return value instanceof Map ? [...value].map(([key, item]) => [String(key), item]) : Object.entries(value);
}

/** Message, stack and cause are not enumerable; code, errno, syscall and the like are. */
function errorEntries(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error;
  return [
    ['name', name],
    ['message', message],
    ...Object.entries(error).filter(([key]) => key !== 'name'),
    ...(error instanceof AggregateError ? ([['errors', error.errors]] as [string, unknown][]) : []),
    ...(cause === undefined ? [] : ([['cause', cause]] as [string, unknown][])),
    ['stack', stack],
  ];
}
