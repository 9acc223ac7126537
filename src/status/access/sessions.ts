// Who is logged in: a random token in a cookie -> a user, for a bounded time. In memory alone; a restart logs everybody out.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const IDLE_MS = 30 * 60_000;
const ABSOLUTE_MS = 12 * 3_600_000;
const MOST = 64;
const MOST_OF_USER = 8;

export interface Session {
  readonly user: string;
  /** Sent by the page in a header with everything that changes something. */
  readonly csrf: string;
}

export interface Sessions {
  /** The token is for the cookie, and kept nowhere. */
  open(user: string): { readonly token: string; readonly session: Session };
  /** Renews the idle time, unless the request is one that a page makes by itself. */
  find(token: string, options: { readonly renew: boolean }): Session | null;
  close(token: string): void;
  /** After a changed password or role; `except` stays. */
  closeAll(user: string, except?: Session): void;
}

interface Kept extends Session {
  readonly openedMs: number;
  usedMs: number;
}

/**
 * INVARIANTS
 * - Tokens are kept as their hash: a dump of the memory's map opens nothing, and the lookup's time tells nothing.
 * - The oldest goes first, of the same user where that one has too many.
 */
export function createSessions(options: { readonly uptimeMs: () => number }): Sessions {
  const { uptimeMs } = options;
  const kept = new Map<string, Kept>();
  const isOver = ({ openedMs, usedMs }: Kept) =>
    uptimeMs() - openedMs > ABSOLUTE_MS || uptimeMs() - usedMs > IDLE_MS;
  const makeRoom = (user: string) => {
    for (const [key, session] of kept) if (isOver(session)) kept.delete(key);
    const own = [...kept].filter(([, session]) => session.user === user);
    if (own.length >= MOST_OF_USER) kept.delete(own[0]?.[0] ?? '');
    const [oldest] = kept.keys();
    if (kept.size >= MOST && oldest !== undefined) kept.delete(oldest);
  };
  return {
    open(user) {
      makeRoom(user);
      const token = randomBytes(32).toString('base64url');
      const nowMs = uptimeMs();
      const session: Kept = {
        user,
        csrf: randomBytes(32).toString('base64url'),
        openedMs: nowMs,
        usedMs: nowMs,
      };
      kept.set(digestOf(token), session);
      return { token, session };
    },
    find(token, { renew }) {
      const key = digestOf(token);
      const session = kept.get(key);
      if (session === undefined) return null;
      if (isOver(session)) {
        kept.delete(key);
        return null;
      }
      if (renew) session.usedMs = uptimeMs();
      return session;
    },
    close: (token) => void kept.delete(digestOf(token)),
    closeAll(user, except) {
      for (const [key, session] of kept) if (session.user === user && session !== except) kept.delete(key);
    },
  };
}

/** Compares in constant time, whatever the lengths. */
export function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(a)), Buffer.from(digestOf(b)));
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
