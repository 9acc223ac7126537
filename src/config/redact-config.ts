import type { Config } from '../contracts/config.ts';
import { hideCredentials } from '../lib/hide-credentials.ts';
import { rootNode, type SchemaNode } from './schema-node.ts';

/** The configuration as it may be printed: what the schema marks `secret`, and user and query of addresses, is `[redacted]`. */
export function redactConfig(config: Config): Config {
  return redact(config, rootNode) as Config;
}

function redact(value: unknown, node: SchemaNode): unknown {
  if (node.secret === true) return '[redacted]';
  if (Array.isArray(value)) return value.map((item) => redact(item, node.items ?? {}));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, redact(item, node.properties?.[key] ?? {})]),
    );
  if (typeof value !== 'string' || !value.includes('://')) return value;
  return hideCredentials(value).replace(/(:\/\/[^?#]*[?#]).+$/s, '$1[redacted]');
}
