// Login, claim, users, second factor, tokens, audit.
import { randomBytes } from 'node:crypto';
import { type Static, Type } from 'typebox';
import {
  AuditEntry,
  ClaimRequest,
  LoggedIn,
  LoginRequest,
  NewToken,
  NewUser,
  TokenEntry,
  TokenName,
  TotpConfirmation,
  TotpOffer,
  User,
  UserChange,
  UserEntry,
  UserName,
} from '../../contracts/api-access.ts';
import type { Access, AccessRefusal, Caller, LoginVerdict } from '../access/access.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { toBase32, totpUri } from '../access/totp.ts';
import type { Account, BookVerdict } from '../access/user-book.ts';
import { jsonAnswer, noContent, problem, taggedAnswer } from '../answer.ts';
import { type ApiAnswer, type Operation, withBody } from './operation.ts';
import { type Stamp, stamped } from './stamp.ts';

const closed = { additionalProperties: false } as const;
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const SECRET_BYTES = 20;

export function accessOperations(options: {
  readonly access: Access;
  readonly audit: AuditLog;
  readonly stamp: () => Stamp;
  readonly now: () => string;
  readonly publicReads: 'state' | 'all';
  readonly appliance: string;
}): readonly Operation[] {
  const { access, audit, now, stamp } = options;
  const { book, hasher } = access;
  /** Secrets that are offered and not confirmed yet; one a user. */
  const offered = new Map<string, string>();

  const loggedIn = (verdict: LoginVerdict, status: number, name: string, isTls: boolean): ApiAnswer => {
    if (!verdict.ok) return { ...accessProblem(verdict), ...auditOf(verdict, name) };
    const { account, session, token } = verdict;
    return {
      ...jsonAnswer(
        status,
        { user: { name: account.name, role: account.role }, csrf: session.csrf },
        { 'Set-Cookie': access.cookieFor(token, isTls) },
      ),
      audit: { who: account.name, detail: 'logged in' },
    };
  };
  const done = (verdict: BookVerdict, answer: ApiAnswer): ApiAnswer =>
    verdict.ok ? answer : bookProblem(verdict);

  return [
    {
      method: 'GET',
      path: '/api/v1/session',
      summary: 'Who is logged in, and what this appliance lets strangers see',
      role: 'public',
      answers: {
        200: stamped({
          user: OrNull(User),
          csrf: OrNull(Type.String()),
          claimed: Type.Boolean(),
          tls: Type.Boolean(),
          publicReads: Type.Union([Type.Literal('state'), Type.Literal('all')]),
        }),
      },
      run: ({ caller, isTls }) =>
        jsonAnswer(200, {
          ...stamp(),
          user: caller.role === 'none' ? null : { name: caller.who, role: caller.role },
          csrf: caller.session?.csrf ?? null,
          // A box whose users cannot be read is nobody's to claim.
          claimed: book.state() !== 'unclaimed',
          tls: isTls,
          publicReads: options.publicReads,
        }),
    },
    withBody({
      method: 'POST',
      path: '/api/v1/session',
      summary: 'Log in',
      role: 'public',
      body: LoginRequest,
      answers: { 200: LoggedIn },
      run: async ({ body, caller, isTls }) =>
        loggedIn(await access.logIn(body, caller.address), 200, body.name, isTls),
    }),
    {
      method: 'DELETE',
      path: '/api/v1/session',
      summary: 'Log out',
      role: 'viewer',
      answers: { 204: null },
      run({ isTls, logOut }) {
        logOut();
        return { ...noContent, headers: { 'Set-Cookie': access.cookieFor(null, isTls) } };
      },
    },
    withBody({
      method: 'POST',
      path: '/api/v1/claim',
      summary: 'Make the first administrator, with the code that the console shows',
      role: 'public',
      body: ClaimRequest,
      answers: { 201: LoggedIn },
      run: async ({ body, caller, isTls }) =>
        loggedIn(await access.claim(body, caller.address), 201, body.name, isTls),
    }),
    {
      method: 'GET',
      path: '/api/v1/users',
      summary: 'The users',
      role: 'admin',
      answers: { 200: stamped({ users: Type.Array(UserEntry) }) },
      run: () => taggedAnswer({ ...stamp(), users: book.users().map(toEntry) }),
    },
    withBody({
      method: 'POST',
      path: '/api/v1/users',
      summary: 'Add a user',
      role: 'admin',
      body: NewUser,
      answers: { 201: Type.Object({ user: UserEntry }, closed) },
      async run({ body: { name, role, password } }) {
        const hash = await hasher.hash(password);
        if (hash === null) return accessProblem(busy);
        const account: Account = { name, role, password: hash, totp: null, since: now() };
        const answer = jsonAnswer(201, { user: toEntry(account) });
        return done(await book.add(account), { ...answer, audit: { detail: `added ${name} as ${role}` } });
      },
    }),
    withBody({
      method: 'PUT',
      path: '/api/v1/users/{name}',
      summary: "Change a user's role or password; ends his sessions",
      role: 'admin',
      params: { name: UserName },
      body: UserChange,
      answers: { 200: Type.Object({ user: UserEntry }, closed) },
      async run({ body: { password, role }, caller, params: { name = '' } }) {
        const hash = password === undefined ? undefined : await hasher.hash(password);
        if (hash === null) return accessProblem(busy);
        const changes = {
          ...(role === undefined ? {} : { role }),
          ...(hash === undefined ? {} : { password: hash }),
        };
        const verdict = await book.change(name, changes);
        if (!verdict.ok) return bookProblem(verdict);
        access.closeSessions(name, caller.session ?? undefined);
        const changed = book.user(name);
        return {
          ...jsonAnswer(200, { user: changed === null ? null : toEntry(changed) }),
          audit: { detail: `changed ${Object.keys(changes).join(' and ')} of ${name}` },
        };
      },
    }),
    {
      method: 'DELETE',
      path: '/api/v1/users/{name}',
      summary: 'Remove a user; ends his sessions',
      role: 'admin',
      params: { name: UserName },
      answers: { 204: null },
      async run({ params: { name = '' } }) {
        const verdict = await book.remove(name);
        if (verdict.ok) access.closeSessions(name);
        return done(verdict, { ...noContent, audit: { detail: `removed ${name}` } });
      },
    },
    {
      method: 'POST',
      path: '/api/v1/users/me/totp',
      summary: 'Offer a secret for a second factor; it counts once it is confirmed',
      role: 'viewer',
      answers: { 200: TotpOffer },
      run({ caller }) {
        if (caller.session === null) return notAUser(caller);
        const secret = randomBytes(SECRET_BYTES);
        offered.set(caller.who, secret.toString('base64'));
        const uri = totpUri(secret, { user: caller.who, appliance: options.appliance });
        return {
          ...jsonAnswer(200, { secret: toBase32(secret), uri }),
          audit: { detail: 'offered a secret for the second factor' },
        };
      },
    },
    withBody({
      method: 'PUT',
      path: '/api/v1/users/me/totp',
      summary: 'Confirm the offered secret with a code of it',
      role: 'viewer',
      body: TotpConfirmation,
      answers: { 204: null },
      async run({ body, caller }) {
        const secret = offered.get(caller.who);
        const account = book.user(caller.who);
        if (caller.session === null || account === null) return notAUser(caller);
        if (secret === undefined || !access.isTotpRight(account, secret, body.code)) return wrongCode;
        offered.delete(caller.who);
        return done(await book.change(caller.who, { totp: secret }), {
          ...noContent,
          audit: { detail: 'switched the second factor on' },
        });
      },
    }),
    withBody({
      method: 'DELETE',
      path: '/api/v1/users/me/totp',
      summary: 'Switch the second factor off, with a code of it',
      role: 'viewer',
      body: TotpConfirmation,
      answers: { 204: null },
      async run({ body, caller }) {
        const account = book.user(caller.who);
        if (caller.session === null || account === null) return notAUser(caller);
        if (account.totp === null || !access.isTotpRight(account, account.totp, body.code)) return wrongCode;
        return done(await book.change(caller.who, { totp: null }), {
          ...noContent,
          audit: { detail: 'switched the second factor off' },
        });
      },
    }),
    {
      method: 'GET',
      path: '/api/v1/tokens',
      summary: 'The tokens of programs, without their secrets',
      role: 'admin',
      answers: { 200: stamped({ tokens: Type.Array(TokenEntry) }) },
      run: () =>
        taggedAnswer({
          ...stamp(),
          tokens: book.tokens().map(({ name, role, since }) => ({ name, role, since })),
        }),
    },
    withBody({
      method: 'POST',
      path: '/api/v1/tokens',
      summary: 'Make a token for a program; its secret is told once',
      role: 'admin',
      body: NewToken,
      answers: { 201: Type.Object({ token: Type.String() }, closed) },
      async run({ body }) {
        const verdict = await book.addToken({ ...body, since: now() });
        return done(verdict, {
          ...jsonAnswer(201, { token: verdict.secret }),
          audit: { detail: `made the token ${body.name} as ${body.role}` },
        });
      },
    }),
    {
      method: 'DELETE',
      path: '/api/v1/tokens/{name}',
      summary: 'Remove a token',
      role: 'admin',
      params: { name: TokenName },
      answers: { 204: null },
      run: async ({ params: { name = '' } }) =>
        done(await book.removeToken(name), { ...noContent, audit: { detail: `removed the token ${name}` } }),
    },
    {
      method: 'GET',
      path: '/api/v1/audit',
      summary: 'Who did what, newest first',
      role: 'admin',
      query: Type.Object(
        {
          before: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,15}$' })),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
        },
        closed,
      ),
      answers: {
        200: stamped({ entries: Type.Array(AuditEntry), next: OrNull(Type.Integer({ minimum: 1 })) }),
      },
      async run({ query }) {
        const before = query.before === undefined ? null : Number(query.before);
        const limit = Math.min(200, Number(query.limit ?? '50'));
        return jsonAnswer(200, { ...stamp(), ...(await audit.read({ before, limit })) });
      },
    },
  ];
}

function toEntry({ name, role, totp, since }: Account): Static<typeof UserEntry> {
  return { name, role, totp: totp !== null, since };
}

const busy: AccessRefusal = {
  ok: false,
  code: 'status.busy',
  reason: 'too many passwords are checked at this moment',
  waitMs: 2_000,
};

const remedies: Readonly<Record<string, string>> = {
  'status.login-refused': 'Check name, password and code.',
  'status.totp-needed': 'Send the code of your authenticator app as `totp`.',
  'status.locked-out': 'Wait, then try again.',
  'status.busy': 'Try again in a moment.',
  'status.claim-refused':
    'Read the code on the screen of the appliance; after five wrong ones it is another.',
  'status.already-claimed': 'Log in.',
  'status.users-unreadable': 'Restore the file from a backup, or reset the appliance at its console.',
  'status.users-unwritable': 'Check space and permissions of the state folder.',
  'status.last-admin': 'Make another user administrator first.',
};

function accessProblem(refused: AccessRefusal): ApiAnswer {
  const { code, reason, waitMs } = refused;
  const remedy = remedies[code] ?? 'Change the request.';
  const seconds = waitMs === undefined ? undefined : Math.ceil(waitMs / 1_000);
  return problem(
    statusOf(code),
    { code, message: reason, remedy },
    seconds === undefined ? {} : { 'Retry-After': String(seconds) },
    seconds === undefined ? {} : { retryAfterSeconds: seconds },
  );
}

function bookProblem({ code, reason }: Extract<BookVerdict, { ok: false }>): ApiAnswer {
  return accessProblem({ ok: false, code, reason });
}

function statusOf(code: AccessRefusal['code']): number {
  switch (code) {
    case 'status.login-refused':
    case 'status.totp-needed':
      return 401;
    case 'status.locked-out':
      return 429;
    case 'status.claim-refused':
      return 403;
    case 'status.user-unknown':
    case 'status.token-unknown':
      return 404;
    case 'status.busy':
    case 'status.users-unreadable':
    case 'status.users-unwritable':
      return 503;
    case 'status.user-exists':
    case 'status.token-exists':
    case 'status.last-admin':
    case 'status.too-many-accounts':
    case 'status.already-claimed':
      return 409;
  }
}

/** What the lock-out keeps away is not written down again and again. A name may be a password typed into the wrong field. */
function auditOf({ code, reason }: AccessRefusal, name: string): Pick<ApiAnswer, 'audit'> {
  if (code === 'status.locked-out' || code === 'status.busy' || code === 'status.totp-needed')
    return { audit: null };
  const shown = /^[a-z][a-z0-9._-]{0,31}$/.test(name) ? name : 'no name';
  return { audit: { who: 'nobody', detail: `${code} (as ${shown}): ${reason}` } };
}

function notAUser({ who }: Caller): ApiAnswer {
  const message = `a second factor belongs to a user who is logged in; ${who} is none`;
  return problem(409, { code: 'status.no-user', message, remedy: 'Log in on the page.' });
}

const wrongCode = problem(403, {
  code: 'status.totp-wrong',
  message: 'the code is wrong or was used already',
  remedy: 'Wait for the next code of the authenticator app.',
});
