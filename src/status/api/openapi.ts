// The operations -> an OpenAPI 3.1 document. What is checked and what is documented is the same schema.
import type { TSchema } from 'typebox';
import type { Operation } from './operation.ts';

const Problem = {
  type: 'object',
  description: 'RFC 9457. `code` is stable; `detail` and `remedy` are for people.',
  required: ['type', 'title', 'status', 'code', 'detail', 'remedy'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', pattern: '^[a-z]+\\.[a-z0-9-]+$' },
    detail: { type: 'string' },
    remedy: { type: 'string' },
    retryAfterSeconds: { type: 'integer', minimum: 0 },
  },
} as const;

export function toOpenApi(
  operations: readonly Operation[],
  version: string,
): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method.toLowerCase()] = describe(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'AutoWeave Edge',
      version,
      description:
        'Roles: viewer < operator < admin. What changes something by cookie needs the header X-CSRF-Token with what GET /api/v1/session gave. On the local socket everything may be asked for without either.',
    },
    paths,
    components: {
      schemas: { Problem },
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'autoweave' },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

function describe({ answers, body, method, params = {}, path, query, role, summary }: Operation) {
  const inPath = Object.entries(params).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema,
  }));
  return {
    operationId: `${method.toLowerCase()} ${path}`,
    summary,
    'x-role': role,
    ...(role === 'public' ? {} : { security: [{ session: [] }, { token: [] }] }),
    parameters: [...inPath, ...queryParameters(query)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, what]) => [status, response(what)])),
      default: {
        description: 'Refused',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function response(what: TSchema | string | null) {
  if (what === null) return { description: 'Done' };
  if (typeof what === 'string') return { description: 'Done', content: { [what]: {} } };
  return { description: 'Done', content: { 'application/json': { schema: what } } };
}

function queryParameters(query: TSchema | undefined) {
  const { properties = {} } = (query ?? {}) as { readonly properties?: Readonly<Record<string, TSchema>> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}
