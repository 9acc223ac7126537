// A value as a message may show it: short, and without what could be a secret in it, however misplaced or malformed it is.
import type { SchemaNode } from './schema-node.ts';

const MAX_SHOWN = 80;
const MAX_NAME = 200;

/** Never a secret's own value; of a list, an object and an address without `@` no more than their kind. */
export function shownValue(value: unknown, node: SchemaNode): string {
  if (node.secret === true) return '[redacted]';
  if (typeof value !== 'string') return shownKind(value);
  if (isAddress(node) && !value.includes('://')) return 'text without a scheme';
  return cut(JSON.stringify(withoutSecrets(value)), MAX_SHOWN);
}

/** `a list`, `text`; numbers, true, false and null as they are. */
export function shownKind(value: unknown): string {
  if (typeof value === 'string') return 'text';
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** A key or variable that nobody knows may be anything. */
export function shownName(name: string): string {
  return cut(withoutSecrets(name), MAX_NAME);
}

/** Of an address its scheme and, after the last `@`, its host. Before anything is cut: half an address is not recognized. */
function withoutSecrets(text: string): string {
  // Such as the text of a key file in the place of its name.
  if (/[\r\n]|-----BEGIN/.test(text)) return `[${text.length} characters]`;
  const at = text.lastIndexOf('@');
  const mark = text.indexOf('://');
  if (at === -1 && mark === -1) return text;
  const [scheme = ''] = mark === -1 ? [] : (/[a-z][a-z0-9+-]{0,15}$/i.exec(text.slice(0, mark)) ?? []);
  const host = at > mark ? `[redacted]${text.slice(at).replace(/[/?#].*$/, '/…')}` : '…';
  return mark === -1 ? host : `${scheme}://${host}`;
}

function isAddress({ pattern, anyOf }: SchemaNode): boolean {
  return pattern?.includes('://') === true || anyOf?.some(isAddress) === true;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
