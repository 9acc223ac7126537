import type { Config } from '../contracts/config.ts';
import { withoutUserInfo } from './expected-text.ts';
import { keysOf } from './schema-node.ts';

/** The configuration as it may be printed: what the schema marks `secret` and the userinfo of URLs is `[redacted]`. */
export function redactConfig(config: Config): Config {
  const copy = structuredClone(config) as Record<string, Record<string, unknown>>;
  for (const [section, values] of Object.entries(copy)) {
    for (const [key, value] of Object.entries(values)) {
      if (keysOf(section)[key]?.secret === true) values[key] = '[redacted]';
      else if (typeof value === 'string') values[key] = withoutUserInfo(value);
    }
  }
  return copy as Config;
}
