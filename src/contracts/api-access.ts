// Users, sessions, tokens and the audit of the HTTP API: roles, and what comes in and goes out.
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;

/** Each may do what the one before may. */
export const Role = Type.Union([Type.Literal('viewer'), Type.Literal('operator'), Type.Literal('admin')]);
export type Role = Static<typeof Role>;
export const roles: readonly Role[] = ['viewer', 'operator', 'admin'];

export const UserName = Type.String({ pattern: '^[a-z][a-z0-9._-]{0,31}$' });
export const passwordMinLength = 10;
export const Password = Type.String({ minLength: passwordMinLength, maxLength: 256 });
const TypedPassword = Type.String({ minLength: 1, maxLength: 256 });
const TotpCode = Type.String({ pattern: '^[0-9]{6}$' });

export const User = Type.Object({ name: UserName, role: Role }, closed);
export const UserEntry = Type.Object(
  { name: UserName, role: Role, totp: Type.Boolean(), since: Type.String() },
  closed,
);
export const LoginRequest = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    password: TypedPassword,
    totp: Type.Optional(TotpCode),
  },
  closed,
);
export const ClaimRequest = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 64 }), name: UserName, password: Password },
  closed,
);
export const LoggedIn = Type.Object({ user: User, csrf: Type.String() }, closed);
/** What gives somebody rights asks for it: a session may have been copied. */
const CurrentPassword = Type.Optional(
  Type.String({
    ...{ minLength: 1, maxLength: 256 },
    description:
      'The password of who asks, needed from whoever is logged in; a token and the local socket have none.',
  }),
);
export const NewUser = Type.Object(
  { name: UserName, password: Password, role: Role, currentPassword: CurrentPassword },
  closed,
);
const having = (name: string) => ({ type: 'object', properties: { [name]: true }, required: [name] });
export const UserChange = Type.Object(
  {
    role: Type.Optional(Role),
    password: Type.Optional(Password),
    currentPassword: CurrentPassword,
  },
  { ...closed, anyOf: [having('role'), having('password')] },
);
export const OwnPassword = Type.Object({ current: TypedPassword, password: Password }, closed);
export const TotpConfirmation = Type.Object({ code: TotpCode }, closed);
export const TotpEnrolment = Type.Object({ code: TotpCode, current: TypedPassword }, closed);
export const TotpOffer = Type.Object({ secret: Type.String(), uri: Type.String() }, closed);

export const TokenName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' });
export const NewToken = Type.Object(
  { name: TokenName, role: Role, currentPassword: CurrentPassword },
  closed,
);
export const TokenEntry = Type.Object({ name: TokenName, role: Role, since: Type.String() }, closed);

export const AuditEntry = Type.Object(
  {
    n: Type.Integer({ minimum: 1 }),
    at: Type.String(),
    clock: Type.Union([Type.Literal('synced'), Type.Literal('unsynced')]),
    who: Type.String({ description: 'User, token:NAME, local (the control socket), or nobody.' }),
    role: Type.String(),
    from: Type.String({ description: 'Address of the client.' }),
    act: Type.String(),
    outcome: Type.Union([Type.Literal('done'), Type.Literal('refused')]),
    detail: Type.String({ maxLength: 500 }),
    previous: Type.String({ description: 'Hash of the entry before: what was removed or changed shows.' }),
    hash: Type.String(),
  },
  closed,
);
export type AuditEntry = Static<typeof AuditEntry>;
