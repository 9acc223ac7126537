// The users and tokens of one appliance: a file in the state folder <-> accounts. A damaged file lets nobody in; it does not make the
// box one that can be claimed.
import { randomBytes } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { Role, TokenName, UserName } from '../../contracts/api-access.ts';
import { errorText } from '../../lib/error-text.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import { digestOf } from './sessions.ts';

const closed = { additionalProperties: false } as const;
const Account = Type.Object(
  {
    name: UserName,
    role: Role,
    password: Type.String({ description: 'Argon2id, PHC string' }),
    totp: Type.Union([Type.String({ description: 'base64' }), Type.Null()]),
    since: Type.String(),
  },
  closed,
);
export type Account = Static<typeof Account>;
const Token = Type.Object(
  { name: TokenName, role: Role, hash: Type.String({ description: 'SHA-256' }), since: Type.String() },
  closed,
);
type Token = Static<typeof Token>;
const Book = Type.Object(
  { version: Type.Literal(1), users: Type.Array(Account), tokens: Type.Array(Token) },
  closed,
);
type Book = Static<typeof Book>;

const MOST_USERS = 32;
const MOST_TOKENS = 32;

/** Where the text is kept: a file that is whole at any moment, mode 0600. */
export interface KeptText {
  /** null: there is none yet. */
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
}

export type BookCode =
  | 'status.user-exists'
  | 'status.user-unknown'
  | 'status.last-admin'
  | 'status.first-not-admin'
  | 'status.token-exists'
  | 'status.token-unknown'
  | 'status.too-many-accounts'
  | 'status.already-claimed'
  | 'status.users-unreadable'
  | 'status.users-unwritable';
export type BookVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: BookCode; readonly reason: string };

export interface UserBook {
  state(): 'unclaimed' | 'claimed' | 'unreadable';
  /** Why it is unreadable. */
  fault(): string | null;
  user(name: string): Account | null;
  users(): readonly Account[];
  tokens(): readonly Omit<Token, 'hash'>[];
  tokenOf(secret: string): Omit<Token, 'hash'> | null;
  /** The first administrator; refused as soon as there is a user. */
  claim(account: Account): Promise<BookVerdict>;
  add(account: Account): Promise<BookVerdict>;
  change(name: string, change: Partial<Pick<Account, 'role' | 'password' | 'totp'>>): Promise<BookVerdict>;
  remove(name: string): Promise<BookVerdict>;
  /** The secret is told once and kept as its hash. */
  addToken(token: Omit<Token, 'hash'>): Promise<BookVerdict & { readonly secret?: string }>;
  removeToken(name: string): Promise<BookVerdict>;
}

const check = schemaCheck(Book);
const refused = (code: BookCode, reason: string) => ({ ok: false, code, reason }) as const;

export async function openUserBook(kept: KeptText): Promise<UserBook> {
  let book: Book = { version: 1, users: [], tokens: [] };
  let fault: string | null = null;
  try {
    const text = await kept.read();
    const checked = text === null ? { ok: true as const, value: book } : check(JSON.parse(text));
    if (checked.ok) book = checked.value;
    else
      fault = `the file of users is damaged (${checked.problems[0]?.path ?? ''} ${checked.problems[0]?.message ?? ''})`;
  } catch (cause) {
    // JSON.parse quotes what it could not read, which may be half a hash.
    fault = cause instanceof SyntaxError ? 'the file of users is no JSON' : errorText(cause);
  }

  let last: Promise<unknown> = Promise.resolve();
  /** One change after the other; nothing is in force that is not on disk. */
  const change = (plan: (book: Book) => Book | Extract<BookVerdict, { ok: false }>): Promise<BookVerdict> => {
    const mine = last.then(async (): Promise<BookVerdict> => {
      if (fault !== null) return refused('status.users-unreadable', fault);
      const next = plan(book);
      if ('ok' in next) return next;
      try {
        await kept.write(`${JSON.stringify(next, null, 2)}\n`);
      } catch (cause) {
        return refused('status.users-unwritable', errorText(cause));
      }
      book = next;
      return { ok: true };
    });
    last = mine;
    return mine;
  };
  const withUsers = (users: readonly Account[]) =>
    users.some(({ role }) => role === 'admin')
      ? { ...book, users: [...users] }
      : refused('status.last-admin', 'one administrator has to remain');
  const unknownUser = (name: string) => refused('status.user-unknown', `there is no user ${name}`);
  const find = (name: string) => book.users.find((user) => user.name === name) ?? null;

  return {
    state: () => (fault !== null ? 'unreadable' : book.users.length === 0 ? 'unclaimed' : 'claimed'),
    fault: () => fault,
    user: find,
    users: () => book.users,
    tokens: () => book.tokens,
    tokenOf(secret) {
      const hash = digestOf(secret);
      return book.tokens.find((token) => token.hash === hash) ?? null;
    },
    claim: (account) =>
      change(({ users }) =>
        users.length > 0
          ? refused('status.already-claimed', 'this appliance has an administrator already')
          : withUsers([{ ...account, role: 'admin' }]),
      ),
    add: (account) =>
      change(({ users }) => {
        if (users.length >= MOST_USERS)
          return refused('status.too-many-accounts', `there are ${MOST_USERS} users already`);
        if (find(account.name) !== null)
          return refused('status.user-exists', `there is a user ${account.name} already`);
        if (users.length === 0 && account.role !== 'admin')
          return refused('status.first-not-admin', 'the first user has to be an administrator');
        return withUsers([...users, account]);
      }),
    change: (name, changes) =>
      change(({ users }) =>
        find(name) === null
          ? unknownUser(name)
          : withUsers(users.map((user) => (user.name === name ? { ...user, ...changes } : user))),
      ),
    remove: (name) =>
      change(({ users }) =>
        find(name) === null ? unknownUser(name) : withUsers(users.filter((user) => user.name !== name)),
      ),
    async addToken(token) {
      const secret = `awt_${randomBytes(32).toString('base64url')}`;
      const verdict = await change((now) => {
        if (now.tokens.length >= MOST_TOKENS)
          return refused('status.too-many-accounts', `there are ${MOST_TOKENS} tokens already`);
        if (now.tokens.some(({ name }) => name === token.name))
          return refused('status.token-exists', `there is a token ${token.name} already`);
        return { ...now, tokens: [...now.tokens, { ...token, hash: digestOf(secret) }] };
      });
      return verdict.ok ? { ok: true, secret } : verdict;
    },
    removeToken: (name) =>
      change((now) =>
        now.tokens.some((token) => token.name === name)
          ? { ...now, tokens: now.tokens.filter((token) => token.name !== name) }
          : refused('status.token-unknown', `there is no token ${name}`),
      ),
  };
}
