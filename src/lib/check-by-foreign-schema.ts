// A JSON Schema that a stranger wrote, and a value -> whether the value fits it. The schema is hostile until it has shown otherwise:
// whatever it holds costs the caller's thread LIMIT_MS at most, and nothing of it throws or goes on afterwards.
import { runInNewContext } from 'node:vm';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { errorText } from './error-text.ts';
import { problemsOf, type SchemaProblem } from './schema-check.ts';

/** An ordinary schema needs some ms; references that double at each step, or a pattern that backtracks, would need years. */
const LIMIT_MS = 1_000;

export type ForeignVerdict =
  | { readonly ok: true }
  /** `schema`: it is none, or it cannot tell whether this value fits. `value`: it does not fit. */
  | { readonly ok: false; readonly what: 'schema' | 'value'; readonly problem: SchemaProblem };

/** @param schema read from JSON */
export function checkByForeignSchema(schema: object, value: unknown): ForeignVerdict {
  // Such a schema answers with a promise: what looks like a yes is none, and its no ends the process that does not wait for it.
  if (JSON.stringify(schema).includes('"$async":'))
    return unusable('$async is no part of JSON Schema and not allowed anywhere in it');
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, verbose: true });
  // Compiles the schema of schemas, which is no stranger's, outside the limit.
  void ajv.validateSchema({});
  const judge = (): ForeignVerdict => {
    const validate = ajv.compile(schema);
    if (validate(value) === true) return { ok: true };
    const [problem = { path: '', message: 'does not fit' }] = problemsOf(validate.errors);
    return { ok: false, what: 'value', problem };
  };
  try {
    // The only way to end a regular expression that backtracks. The context is no boundary and need not be one.
    return runInNewContext('judge()', { judge }, { timeout: LIMIT_MS }) as ForeignVerdict;
  } catch (cause) {
    const isLate = (cause as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    return unusable(isLate ? `more than ${LIMIT_MS} ms are needed for it` : errorText(cause));
  }
}

function unusable(message: string): ForeignVerdict {
  return { ok: false, what: 'schema', problem: { path: '', message } };
}
