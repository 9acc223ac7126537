// A JSON Schema (TypeBox) -> a function that tells typed data from a list of problems. Compiled at first use.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';

/** One thing wrong with a value: where (JSON pointer, '' is the whole) and what. */
export interface SchemaProblem {
  readonly path: string;
  readonly message: string;
}

export type SchemaVerdict<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly SchemaProblem[] };

/** Returns a checker for `schema`. The checker never throws and changes nothing in the value it is given. */
export function schemaCheck<S extends TSchema>(schema: S): (value: unknown) => SchemaVerdict<Static<S>> {
  let validate: ValidateFunction<Static<S>> | undefined;
  return (value) => {
    validate ??= new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile<Static<S>>(
      schema,
    );
    if (validate(value)) return { ok: true, value };
    return { ok: false, problems: (validate.errors ?? []).map(toProblem) };
  };
}

function toProblem(error: ErrorObject): SchemaProblem {
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'additionalProperties':
      return {
        path: `${error.instancePath}/${String(params.additionalProperty)}`,
        message: 'is not a known key',
      };
    case 'required':
      return { path: `${error.instancePath}/${String(params.missingProperty)}`, message: 'is missing' };
    case 'enum':
    case 'const':
      return {
        path: error.instancePath,
        message: `must be ${JSON.stringify(params.allowedValues ?? params.allowedValue)}`,
      };
    default:
      return { path: error.instancePath, message: error.message ?? error.keyword };
  }
}
