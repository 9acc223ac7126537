// A JSON Schema (TypeBox) -> a function that tells typed data from a list of problems. Compiled at first use.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';
import { errorText } from './error-text.ts';

/** One thing wrong with a value: where (JSON pointer, '' is the whole) and what. */
export interface SchemaProblem {
  readonly path: string;
  readonly message: string;
}

/** More are not worth reading, and whoever sends nonsense decides how many there are. */
const ERRORS_MOST = 200;

export type SchemaVerdict<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly SchemaProblem[] };

/**
 * Returns a checker for `schema`, one of the program's own: a stranger's goes to `checkByForeignSchema`. The checker changes nothing
 * in the value it is given, and a value at which it fails is refused. Its first call throws where `schema` itself is no schema.
 */
export function schemaCheck<S extends TSchema>(schema: S): (value: unknown) => SchemaVerdict<Static<S>> {
  let validate: ValidateFunction<Static<S>> | undefined;
  return (value) => {
    validate ??= new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile<
      Static<S>
    >(schema);
    try {
      if (validate(value) === true) return { ok: true, value };
    } catch (cause) {
      // A value that nests deeper than the stack.
      return { ok: false, problems: [{ path: '', message: `cannot be checked: ${errorText(cause)}` }] };
    }
    return { ok: false, problems: problemsOf(validate.errors) };
  };
}

/** What a validator of Ajv found, in words; at most as much as is worth reading. */
export function problemsOf(errors: readonly ErrorObject[] | null | undefined): readonly SchemaProblem[] {
  return joinAlternatives((errors ?? []).slice(0, ERRORS_MOST)).map(toProblem);
}

/** A union of constants fails once for each and once as a whole: one problem that lists what it may be. */
function joinAlternatives(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  return errors.flatMap((error) => {
    if (error.keyword === 'const' && constantsOf(errors, unionOf(errors, error)) !== null) return [];
    const allowedValues = error.keyword === 'anyOf' ? constantsOf(errors, error) : null;
    return allowedValues === null ? [error] : [{ ...error, keyword: 'enum', params: { allowedValues } }];
  });
}

function unionOf(errors: readonly ErrorObject[], member: ErrorObject): ErrorObject | undefined {
  return errors.find((error) => error.keyword === 'anyOf' && isMember(error, member));
}

/** What each member of the union wants; null where one is more than a constant. */
function constantsOf(
  errors: readonly ErrorObject[],
  union: ErrorObject | undefined,
): readonly unknown[] | null {
  if (union === undefined) return null;
  const members = errors.filter((error) => isMember(union, error));
  const isPlain = members.length > 0 && members.every(({ keyword }) => keyword === 'const');
  return isPlain
    ? members.map(({ params }) => (params as { readonly allowedValue: unknown }).allowedValue)
    : null;
}

function isMember(union: ErrorObject, error: ErrorObject): boolean {
  return (
    error.schemaPath.startsWith(`${union.schemaPath}/`) && error.instancePath.startsWith(union.instancePath)
  );
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
      return { path: error.instancePath, message: `must be one of ${listText(params.allowedValues)}` };
    case 'const':
      return { path: error.instancePath, message: `must be ${JSON.stringify(params.allowedValue)}` };
    case 'pattern': {
      const { description } = error.parentSchema ?? {};
      const words = typeof description === 'string' ? ` (${description})` : '';
      return { path: error.instancePath, message: `${error.message ?? error.keyword}${words}` };
    }
    default:
      return { path: error.instancePath, message: error.message ?? error.keyword };
  }
}

function listText(values: unknown): string {
  return Array.isArray(values)
    ? values.map((value) => JSON.stringify(value)).join(', ')
    : JSON.stringify(values);
}
