// Login, claim, users, tokens, audit.
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
  User,
  UserChange,
  UserEntry,
  UserName,
} from '../../contracts/api-access.ts';
import { OrNull } from '../../contracts/or-null.ts';
import type { Access, AccessRefusal, LoginVerdict } from '../access/access.ts';
import type { AuditLog } from '../access/audit-log.ts';
import type { Account } from '../access/user-book.ts';
import { jsonAnswer, noContent, taggedAnswer } from '../answer.ts';
import { accessProblem, attemptProblem, bookProblem, busy, done } from './access-problem.ts';
import { type ApiAnswer, type Call, type Operation, withBody } from './operation.ts';
import { type Stamp, stamped } from './stamp.ts';

const closed = { additionalProperties: false } as const;

export function accessOperations(options: {
  readonly access: Access;
  readonly audit: AuditLog;
  readonly stamp: () => Stamp;
  readonly now: () => string;
  readonly publicReads: 'state' | 'all';
}): readonly Operation[] {
  const { access, audit, now, stamp } = options;
  const { book, hasher } = access;

  const loggedIn = (
    verdict: LoginVerdict,
    { name, status }: { readonly name: string; readonly status: number },
    { isTls, logOut }: Pick<Call, 'isTls' | 'logOut'>,
  ): ApiAnswer => {
    if (!verdict.ok) return { ...accessProblem(verdict), ...auditOf(verdict, name) };
    // Its cookie is written over: nobody would ever log that one out.
    logOut();
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
          totp: OrNull(
            Type.Boolean({
              description: 'Whether the user has a second factor; null: no user is logged in.',
            }),
          ),
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
          totp: caller.session === null ? null : (book.user(caller.who)?.totp ?? null) !== null,
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
      run: async ({ body, ...call }) =>
        loggedIn(await access.logIn(body, call.caller.address), { name: body.name, status: 200 }, call),
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
      run: async ({ body, ...call }) =>
        loggedIn(await access.claim(body, call.caller.address), { name: body.name, status: 201 }, call),
    }),
    {
      method: 'GET',
      path: '/api/v1/claim-code',
      summary: 'The code that the console shows; through the local socket alone',
      // Before the claim there is no administrator but who may open the socket, and after it there is no code.
      role: 'admin',
      answers: { 200: Type.Object({ code: Type.String() }, closed) },
      run({ caller }) {
        const code = caller.via === 'local' ? access.currentClaimCode() : null;
        if (code !== null) return jsonAnswer(200, { code });
        const reason = book.fault() ?? 'this appliance has an administrator already';
        const isClaimed = book.state() === 'claimed';
        return accessProblem({
          ok: false,
          code: isClaimed ? 'status.already-claimed' : 'status.users-unreadable',
          reason,
        });
      },
    },
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
      summary: 'Add a user; needs the current password of who asks',
      role: 'admin',
      body: NewUser,
      answers: { 201: Type.Object({ user: UserEntry }, closed) },
      async run({ body: { currentPassword, name, role, password }, caller }) {
        const confirmed = await access.confirmOwner(caller.session, currentPassword);
        if (!confirmed.ok) return attemptProblem(confirmed);
        const hash = await hasher.hash(password);
        if (hash === null) return accessProblem(busy);
        const account: Account = { name, role, password: hash, totp: null, since: now() };
        const answer = jsonAnswer(201, { user: toEntry(account) });
        return done(await access.addUser(account), {
          ...answer,
          audit: { detail: `added ${name} as ${role}` },
        });
      },
    }),
    withBody({
      method: 'PUT',
      path: '/api/v1/users/{name}',
      summary:
        "Change a user's role or password; ends his sessions. It needs the current password of who asks",
      role: 'admin',
      params: { name: UserName },
      body: UserChange,
      answers: { 200: Type.Object({ user: UserEntry }, closed) },
      async run({ body: { currentPassword, password, role }, caller, params: { name = '' } }) {
        const confirmed = await access.confirmOwner(caller.session, currentPassword);
        if (!confirmed.ok) return attemptProblem(confirmed);
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
      summary:
        'Make a token for a program; its secret is told once. It needs the current password of who asks',
      role: 'admin',
      body: NewToken,
      answers: { 201: Type.Object({ token: Type.String() }, closed) },
      async run({ body: { currentPassword, name, role }, caller }) {
        const confirmed = await access.confirmOwner(caller.session, currentPassword);
        if (!confirmed.ok) return attemptProblem(confirmed);
        const verdict = await book.addToken({ name, role, since: now() });
        return done(verdict, {
          ...jsonAnswer(201, { token: verdict.secret }),
          audit: { detail: `made the token ${name} as ${role}` },
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

/** What the lock-out keeps away is not written down again and again. A name may be a password typed into the wrong field. */
function auditOf({ code, reason }: AccessRefusal, name: string): Pick<ApiAnswer, 'audit'> {
  if (code === 'status.locked-out' || code === 'status.busy' || code === 'status.totp-needed')
    return { audit: null };
  const shown = /^[a-z][a-z0-9._-]{0,31}$/.test(name) ? name : 'no name';
  return { audit: { who: 'nobody', detail: `${code} (as ${shown}): ${reason}` } };
}
