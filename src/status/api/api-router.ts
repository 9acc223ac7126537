// Method and path -> the operation, whether the caller may, checked input, its answer, its entry in the audit. The order is fixed:
// path, method, origin, login, role, claim, CSRF, body.
import type { IncomingMessage } from 'node:http';
import { Type } from 'typebox';
import { schemaCheck } from '../../lib/schema-check.ts';
import { type Access, type Caller, mayAs } from '../access/access.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { type Answer, refusal } from '../answer.ts';
import type { StatusLimits } from '../status-limits.ts';
import type { ApiAnswer, Call, Operation } from './operation.ts';
import { readBody } from './read-body.ts';
import { createRefusedEntries } from './refused-entries.ts';

const BODY_MAX = 16_384;

export interface ApiRouter {
  /** The path as the operations have it, for the figures; null: there is nothing there. */
  routeOf(path: string): string | null;
  answer(request: IncomingMessage, connection: Connection): Promise<Answer | 'stream'>;
  /** Asked again and again, whether who asked for this may still have it: a stream outlives a log-out, a session, a token and a role. */
  mayStill(request: IncomingMessage, connection: Connection): () => boolean;
}

export interface Connection {
  readonly isLocal: boolean;
  readonly isTls: boolean;
  /** Of the client, which may sit behind a proxy. */
  readonly address: string;
}

interface Compiled {
  readonly operation: Operation;
  readonly pattern: RegExp;
  readonly checkParams: ReturnType<typeof schemaCheck>;
  readonly checkQuery: ReturnType<typeof schemaCheck> | null;
  readonly checkBody: ReturnType<typeof schemaCheck> | null;
}

export function createApiRouter(options: {
  readonly operations: readonly Operation[];
  readonly access: Access;
  readonly audit: AuditLog;
  readonly publicReads: 'state' | 'all';
  readonly uptimeMs: () => number;
  readonly limits: Pick<StatusLimits, 'bodyTimeoutMs' | 'largeBodyTimeoutMs'>;
}): ApiRouter {
  const { access, audit, limits, publicReads, uptimeMs } = options;
  const compiled = options.operations.map(compile);
  const at = (path: string) => compiled.filter(({ pattern }) => pattern.test(path));

  /** null: he may. */
  const refuse = (operation: Operation, caller: Caller, request: IncomingMessage): Answer | null => {
    const changes = operation.method !== 'GET';
    if (changes && !isOwnOrigin(request)) return foreignOrigin;
    if (operation.role === 'public') return null;
    if (!changes && operation.role === 'viewer' && publicReads === 'all') return null;
    if (!mayAs(caller.role, operation.role)) {
      if (caller.role !== 'none') return roleTooLow(operation.role, caller.role);
      return access.book.state() === 'unclaimed' ? unclaimed : loginNeeded;
    }
    return changes && !access.isCsrfRight(caller, request) ? csrfWrong : null;
  };

  const run = async (
    { operation, checkQuery, checkBody }: Compiled,
    request: IncomingMessage,
    call: Omit<Call, 'body' | 'query'>,
    search: string,
  ): Promise<ApiAnswer | 'stream'> => {
    const query = Object.fromEntries(new URLSearchParams(search));
    const checkedQuery = checkQuery?.(query) ?? { ok: true };
    if (!checkedQuery.ok) return invalid('query', checkedQuery.problems);
    if (checkBody === null) {
      if (hasBody(request)) return bodyNotAllowed;
      return operation.run({ ...call, query, body: undefined });
    }
    const body = hasBody(request)
      ? await readBody(request, boundsOf(operation))
      : ({ ok: true, value: {} } as const);
    if (!body.ok) return body.answer;
    const checked = checkBody(body.value);
    return checked.ok
      ? operation.run({ ...call, query, body: checked.value })
      : invalid('body', checked.problems);
  };

  const boundsOf = ({ bodyMaxBytes, role }: Operation) => ({
    maxBytes: bodyMaxBytes ?? BODY_MAX,
    idleMs: limits.bodyTimeoutMs,
    // Strangers get no more time for it.
    withinMs:
      bodyMaxBytes === undefined || role === 'public' ? limits.bodyTimeoutMs : limits.largeBodyTimeoutMs,
  });

  const refusedEntries = createRefusedEntries(uptimeMs);
  const detailFor = (answer: ApiAnswer, caller: Caller): string | null => {
    const detail = answer.audit?.detail ?? detailOf(answer);
    return answer.status < 400 ? detail : refusedEntries.detailFor(caller, detail);
  };

  return {
    routeOf: (path) => at(path)[0]?.operation.path ?? null,
    mayStill(request, connection) {
      const [path = ''] = (request.url ?? '').split('?', 1);
      const operation = at(path).find((each) => each.operation.method === 'GET')?.operation;
      if (operation === undefined) return () => false;
      return () =>
        refuse(operation, access.callerOf(request, { ...connection, renew: false }), request) === null;
    },
    async answer(request, connection) {
      const { isTls } = connection;
      const [path = '', search = ''] = (request.url ?? '').split('?', 2);
      const here = at(path);
      if (here.length === 0) return notFound(path);
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const found = here.find(({ operation }) => operation.method === method);
      if (found === undefined)
        return wrongMethod(
          request.method,
          path,
          here.map(({ operation }) => operation.method),
        );
      const { operation } = found;
      const params = found.pattern.exec(path)?.groups ?? {};
      if (!found.checkParams(params).ok) return notFound(path);
      const caller = access.callerOf(request, { ...connection, renew: operation.isBackground !== true });
      const refused = refuse(operation, caller, request);
      const logOut = () => access.logOut(request, isTls);
      const answer: ApiAnswer | 'stream' =
        refused ?? (await run(found, request, { caller, params, isTls, logOut }, search));
      // Strangers who knock are counted, not written down: they could fill the audit.
      if (answer === 'stream' || operation.method === 'GET' || answer.audit === null) return answer;
      if (refused !== null && caller.via === 'nobody') return answer;
      const detail = detailFor(answer, caller);
      if (detail === null) return answer;
      await audit.add({
        who: answer.audit?.who ?? caller.who,
        role: caller.role,
        from: caller.address,
        act: `${operation.method} ${path.slice(0, 200)}`,
        outcome: answer.status < 400 ? 'done' : 'refused',
        detail,
      });
      return answer;
    },
  };
}

function compile(operation: Operation): Compiled {
  const { body, params = {}, path, query } = operation;
  const source = path.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return {
    operation,
    pattern: new RegExp(`^${source}$`),
    checkParams: schemaCheck(Type.Object(params, { additionalProperties: false })),
    checkQuery: query === undefined ? null : schemaCheck(query),
    checkBody: body === undefined ? null : schemaCheck(body),
  };
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Browsers send it with everything that changes something; programs need not. */
function isOwnOrigin({ headers }: IncomingMessage): boolean {
  if (headers.origin === undefined) return headers['sec-fetch-site'] !== 'cross-site';
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host?.toLowerCase();
}

function detailOf({ body }: Answer): string {
  if (typeof body !== 'string' || body === '') return '';
  const { code, detail } = JSON.parse(body) as Readonly<Record<string, unknown>>;
  return [code, detail].filter((part) => typeof part === 'string').join(': ');
}

const bodyNotAllowed = refusal(413, {
  code: 'status.body-not-allowed',
  message: 'the request carries a body, and nothing here takes one',
  remedy: 'Send it without a body.',
});

const foreignOrigin = refusal(403, {
  code: 'status.origin-not-allowed',
  message: 'a page of another origin may change nothing here',
  remedy: "Use the appliance's own page, or a program with a token.",
});

const loginNeeded = refusal(401, {
  code: 'status.login-needed',
  message: 'this needs a login',
  remedy: 'Log in on the page, or send Authorization: Bearer with a token.',
});

const unclaimed = refusal(403, {
  code: 'status.unclaimed',
  message: 'this appliance has no administrator yet',
  remedy: 'Claim it with the code that its console shows.',
});

const csrfWrong = refusal(403, {
  code: 'status.csrf-wrong',
  message: "the session's X-CSRF-Token is missing or is not this session's",
  remedy: 'Load the page again.',
});

function roleTooLow(needed: string, role: string): Answer {
  return refusal(403, {
    code: 'status.role-too-low',
    message: `this needs the role ${needed}; yours is ${role}`,
    remedy: 'Ask an administrator.',
  });
}

function invalid(
  what: 'body' | 'query',
  problems: readonly { readonly path: string; readonly message: string }[],
): Answer {
  const list = problems.slice(0, 5).map(({ path, message }) => `${path || what} ${message}`);
  return refusal(400, {
    code: 'status.invalid-request',
    message: `the ${what} is not what this takes: ${list.join('; ')}`,
    remedy: '/api/v1/openapi.json says what it takes.',
  });
}

function notFound(path: string): Answer {
  return refusal(404, {
    code: 'status.not-found',
    message: `there is nothing at ${JSON.stringify(path.slice(0, 100))}`,
    remedy: '/api/v1/openapi.json lists what there is.',
  });
}

function wrongMethod(method: string | undefined, path: string, methods: readonly string[]): Answer {
  const allowed = [...new Set(methods.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each])))];
  const why = {
    code: 'status.method-not-allowed',
    message: `${method ?? 'that'} is not possible at ${path.slice(0, 100)}`,
    remedy: `Use ${allowed.join(', ')}.`,
  } as const;
  return refusal(405, why, { Allow: allowed.join(', ') });
}
