import type { Config } from '../contracts/config.ts';
import { hideCredentials } from '../lib/hide-credentials.ts';
import { keysOf } from './schema-node.ts';

/** The configuration as it may be printed: what the schema marks `secret`, and user and query of addresses, is `[redacted]`. */
export function redactConfig(config: Config): Config {
  const copy = structuredClone(config) as Record<string, Record<string, unknown>>;
  for (const [section, values] of Object.entries(copy)) {
    for (const [key, value] of Object.entries(values)) {
      values[key] = keysOf(section)[key]?.secret === true ? '[redacted]' : redactAddresses(value);
    }
  }
  return copy as Config;
}

function redactAddresses(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactAddresses);
  if (typeof value !== 'string' || !value.includes('://')) return value;
  return hideCredentials(value).replace(/(:\/\/[^?#]*[?#]).+$/s, '$1[redacted]');
}
