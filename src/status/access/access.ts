// Who asks, and may he: cookie, token or local socket -> a caller; login, logout, claim. The order of the checks is fixed: lock-out,
// password, second factor. Longer than most, because all that share the lock-outs must be read together.
import type { IncomingMessage } from 'node:http';
import { type Role, roles } from '../../contracts/api-access.ts';
import type { Clock } from '../../contracts/clock.ts';
import { clientKey } from '../client-key.ts';
import type { ClaimCode } from './claim-code.ts';
import { createLockOut, type LockOut } from './lock-out.ts';
import type { PasswordHasher } from './password-hash.ts';
import { createSessions, isSameText, type Session } from './sessions.ts';
import { matchTotp } from './totp.ts';
import type { Account, BookCode, BookVerdict, UserBook } from './user-book.ts';

export interface Caller {
  /** For the audit: a user, `token:NAME`, `local`, `nobody`. */
  readonly who: string;
  readonly role: Role | 'none';
  readonly via: 'nobody' | 'session' | 'token' | 'local';
  readonly session: Session | null;
  readonly address: string;
}

export type AccessRefusal = {
  readonly ok: false;
  readonly code:
    | 'status.login-refused'
    | 'status.totp-needed'
    | 'status.locked-out'
    | 'status.busy'
    | 'status.claim-refused'
    | 'status.password-needed'
    | 'status.password-wrong'
    | 'status.totp-wrong'
    | BookCode;
  readonly reason: string;
  readonly waitMs?: number;
};
export type LoginVerdict =
  | { readonly ok: true; readonly token: string; readonly session: Session; readonly account: Account }
  | AccessRefusal;

export interface Access {
  readonly book: UserBook;
  readonly hasher: PasswordHasher;
  /** `renew` false: the session is none the younger for it. */
  callerOf(
    request: IncomingMessage,
    options: {
      readonly isLocal: boolean;
      readonly isTls: boolean;
      readonly address: string;
      readonly renew?: boolean;
    },
  ): Caller;
  /** Whether a request that changes something by cookie carries the session's own word. */
  isCsrfRight(caller: Caller, request: IncomingMessage): boolean;
  logIn(
    asked: { readonly name: string; readonly password: string; readonly totp?: string | undefined },
    address: string,
  ): Promise<LoginVerdict>;
  claim(
    asked: { readonly code: string; readonly name: string; readonly password: string },
    address: string,
  ): Promise<LoginVerdict>;
  /** What the console shows; null: somebody has claimed it. */
  currentClaimCode(): string | null;
  /** The first one may be made at the appliance itself, and claims it. */
  addUser(account: Account): Promise<BookVerdict>;
  /** Is it the owner who asks? Whoever has copied his session guesses no faster than one at the door. Without a session there is nobody to ask. */
  confirmOwner(
    session: Session | null,
    current: string | undefined,
  ): Promise<{ readonly ok: true } | AccessRefusal>;
  /** This session stays, and the user's other ones end. */
  changeOwnPassword(
    session: Session,
    asked: { readonly current: string; readonly password: string },
  ): Promise<{ readonly ok: true } | AccessRefusal>;
  /** A code of the second factor that was not used before. */
  isTotpRight(account: Account, secret: string, code: string): boolean;
  /** Six digits are soon guessed by who has copied a session: as slowly as the password, and counted with it. */
  dropOwnTotp(session: Session, code: string): Promise<{ readonly ok: true } | AccessRefusal>;
  logOut(request: IncomingMessage, isTls: boolean): void;
  closeSessions(user: string, except?: Session): void;
  cookieFor(token: string | null, isTls: boolean): string;
}

type Locks = readonly (readonly [LockOut, string])[];

const SECOND = 1_000;
const MOST_KNOWN = 256;

export function createAccess(options: {
  readonly book: UserBook;
  readonly hasher: PasswordHasher;
  /** null: this appliance was claimed when it started. */
  readonly claimCode: ClaimCode | null;
  readonly onClaimed: () => void;
  readonly clock: Clock;
}): Access {
  const { book, claimCode, clock, hasher } = options;
  const uptimeMs = () => clock.uptimeMs();
  const sessions = createSessions({ uptimeMs });
  // One person who mistypes; a whole network; and one account from everywhere, which must not let a stranger lock its owner out for long.
  const byBoth = createLockOut({ uptimeMs, free: 4, firstMs: 2 * SECOND, longestMs: 900 * SECOND });
  const byAddress = createLockOut({ uptimeMs, free: 20, firstMs: 5 * SECOND, longestMs: 900 * SECOND });
  const byUser = createLockOut({ uptimeMs, free: 50, firstMs: SECOND, longestMs: 30 * SECOND });
  // Apart from the door's: who guesses with a copied session must not keep its owner from logging in.
  const byOwner = createLockOut({ uptimeMs, free: 4, firstMs: 2 * SECOND, longestMs: 900 * SECOND });
  // Users and the addresses they came from: what strangers do to their account from elsewhere does not keep them out.
  const known = new Set<string>();
  const usedSteps = new Map<string, number>();

  const isTotpRight = (account: Account, secret: string, code: string): boolean => {
    const usedStep = usedSteps.get(account.name) ?? 0;
    const step = matchTotp(Buffer.from(secret, 'base64'), code, { wallMs: clock.now().wallMs, usedStep });
    if (step !== null) usedSteps.set(account.name, step);
    return step !== null;
  };
  const opened = (account: Account): LoginVerdict => {
    const { token, session } = sessions.open(account.name);
    return { ok: true, token, session, account };
  };

  const confirmOwner: Access['confirmOwner'] = async (session, current) => {
    if (session === null) return { ok: true };
    const { user } = session;
    if (current === undefined)
      return {
        ok: false,
        code: 'status.password-needed',
        reason: 'who may do what is changed only with the current password of who asks for it',
      };
    const waitMs = byOwner.attempt(user);
    if (waitMs > 0) return lockedOut(waitMs);
    const isRight = await hasher.verify(current, book.user(user)?.password ?? null);
    if (isRight === null) return busyAfter([[byOwner, user]]);
    if (!isRight)
      return { ok: false, code: 'status.password-wrong', reason: 'the current password is not this one' };
    byOwner.succeeded(user);
    return { ok: true };
  };

  return {
    book,
    hasher,
    isTotpRight,
    confirmOwner,
    callerOf(request, { address, isLocal, isTls, renew = true }) {
      if (isLocal) return { who: 'local', role: 'admin', via: 'local', session: null, address };
      const bearer = /^Bearer ([\w-]{1,200})$/.exec(request.headers.authorization ?? '')?.[1];
      if (bearer !== undefined) {
        const token = book.tokenOf(bearer);
        if (token !== null)
          return { who: `token:${token.name}`, role: token.role, via: 'token', session: null, address };
      }
      const cookie = cookieOf(request, isTls);
      const isAsked = renew && request.headers['x-background'] === undefined;
      const session = cookie === null ? null : sessions.find(cookie, { renew: isAsked });
      // The role is read at every request: who was removed or lowered is so at once.
      const account = session === null ? null : book.user(session.user);
      if (session === null || account === null)
        return { who: 'nobody', role: 'none', via: 'nobody', session: null, address };
      return { who: account.name, role: account.role, via: 'session', session, address };
    },
    isCsrfRight({ session, via }, request) {
      if (via !== 'session' || session === null) return true;
      const sent = request.headers['x-csrf-token'];
      return typeof sent === 'string' && isSameText(sent, session.csrf);
    },
    async logIn({ name, password, totp }, address) {
      const from = clientKey(address);
      const both = `${from} ${name}`;
      const isStranger = !known.has(both);
      const locks = [
        [byBoth, both],
        [byAddress, from],
        ...(isStranger ? [[byUser, name] as const] : []),
      ] as const;
      const waitMs = attempt(locks);
      if (waitMs > 0) return lockedOut(waitMs);
      const account = book.user(name);
      const isRight = await hasher.verify(password, account?.password ?? null, { isStranger });
      if (isRight === null) return busyAfter(locks);
      if (!isRight || account === null)
        return { ok: false, code: 'status.login-refused', reason: 'name or password is wrong' };
      if (account.totp !== null) {
        if (totp === undefined)
          return { ok: false, code: 'status.totp-needed', reason: 'the code of the second factor is needed' };
        if (!isTotpRight(account, account.totp, totp))
          return {
            ok: false,
            code: 'status.login-refused',
            reason: 'the code of the second factor is wrong or was used already',
          };
      }
      byBoth.succeeded(both);
      byAddress.succeeded(from);
      known.delete(both);
      known.add(both);
      const [longest] = known;
      if (known.size > MOST_KNOWN && longest !== undefined) known.delete(longest);
      return opened(account);
    },
    async claim({ code, name, password }, address) {
      if (book.state() !== 'unclaimed')
        return {
          ok: false,
          code: book.state() === 'claimed' ? 'status.already-claimed' : 'status.users-unreadable',
          reason: book.fault() ?? 'this appliance has an administrator already',
        };
      const from = clientKey(address);
      // No lock for all together: 39 bits need none, and a crowd of addresses would keep the owner from claiming.
      const locks = [
        [byBoth, `${from} claim`],
        [byAddress, from],
      ] as const;
      const waitMs = attempt(locks);
      if (waitMs > 0) return lockedOut(waitMs);
      if (claimCode === null || !claimCode.matches(code))
        return {
          ok: false,
          code: 'status.claim-refused',
          reason: 'this is not the code that the console of the appliance shows',
        };
      const hash = await hasher.hash(password);
      if (hash === null) return busyAfter(locks);
      const since = new Date(clock.now().wallMs).toISOString();
      const account: Account = { name, role: 'admin', password: hash, totp: null, since };
      const verdict = await book.claim(account);
      if (!verdict.ok) return verdict;
      options.onClaimed();
      return opened(account);
    },
    currentClaimCode: () => (book.state() === 'unclaimed' ? (claimCode?.current() ?? null) : null),
    async addUser(account) {
      const wasUnclaimed = book.state() === 'unclaimed';
      const verdict = await book.add(account);
      if (verdict.ok && wasUnclaimed) options.onClaimed();
      return verdict;
    },
    async changeOwnPassword(session, { current, password }) {
      const confirmed = await confirmOwner(session, current);
      if (!confirmed.ok) return confirmed;
      const hash = await hasher.hash(password);
      if (hash === null) return busy;
      const verdict = await book.change(session.user, { password: hash });
      if (!verdict.ok) return verdict;
      sessions.closeAll(session.user, session);
      return verdict;
    },
    async dropOwnTotp(session, code) {
      const waitMs = byOwner.attempt(session.user);
      if (waitMs > 0) return lockedOut(waitMs);
      const account = book.user(session.user);
      if (account === null || account.totp === null || !isTotpRight(account, account.totp, code))
        return { ok: false, code: 'status.totp-wrong', reason: 'the code is wrong or was used already' };
      const verdict = await book.change(session.user, { totp: null });
      if (verdict.ok) byOwner.succeeded(session.user);
      return verdict;
    },
    logOut(request, isTls) {
      const cookie = cookieOf(request, isTls);
      if (cookie !== null) sessions.close(cookie);
    },
    closeSessions: (user, except) => sessions.closeAll(user, except),
    cookieFor(token, isTls) {
      const age = token === null ? '; Max-Age=0' : '';
      return `${cookieName(isTls)}=${token ?? ''}; Path=/; HttpOnly; SameSite=Strict${isTls ? '; Secure' : ''}${age}`;
    },
  };
}

export function mayAs(role: Caller['role'], needed: Role): boolean {
  return role !== 'none' && roles.indexOf(role) >= roles.indexOf(needed);
}

const busy = {
  ok: false,
  code: 'status.busy',
  reason: 'too many log in at this moment',
  waitMs: 2_000,
} as const;

function lockedOut(waitMs: number): AccessRefusal {
  return { ok: false, code: 'status.locked-out', reason: 'too many attempts have failed', waitMs };
}

/** Nothing was looked at, and nothing has failed: a crowd that keeps the queue full must lock nobody out. */
function busyAfter(locks: Locks): AccessRefusal {
  for (const [lock, key] of locks) lock.undo(key);
  return busy;
}

/** The longest wait; nothing is counted at the later ones once one says wait. */
function attempt(locks: Locks): number {
  for (const [lock, key] of locks) {
    const waitMs = lock.attempt(key);
    if (waitMs > 0) return waitMs;
  }
  return 0;
}

/** With the prefix a browser takes it only over TLS and for this host alone. */
function cookieName(isTls: boolean): string {
  return isTls ? '__Host-autoweave' : 'autoweave';
}

function cookieOf(request: IncomingMessage, isTls: boolean): string | null {
  const wanted = `${cookieName(isTls)}=`;
  const found = (request.headers.cookie ?? '').split(/; */).find((each) => each.startsWith(wanted));
  const value = found?.slice(wanted.length) ?? '';
  return /^[\w-]{20,100}$/.test(value) ? value : null;
}
