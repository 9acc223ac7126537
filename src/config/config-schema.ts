import { Config } from '../contracts/config.ts';

/**
 * The JSON Schema (2020-12) of the configuration file, as `autoweave config schema` prints it: every key may be left out,
 * because defaults fill it. `marks: false` gives the schema of a completed configuration without the marks that are
 * not JSON Schema's own (`secret`), which a strict validator refuses.
 */
export function configSchema({ marks = true }: { readonly marks?: boolean } = {}): object {
  const text = JSON.stringify(Config, (key, value: unknown) => {
    if (key === 'secret' && value === true && !marks) return undefined;
    return key === 'required' && Array.isArray(value) && marks ? undefined : value;
  });
  const schema = JSON.parse(text) as object;
  return marks ? { $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema } : schema;
}
