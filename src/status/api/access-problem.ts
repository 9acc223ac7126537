// What the access control says no to -> an answer with its remedy.
import type { AccessRefusal } from '../access/access.ts';
import type { BookVerdict } from '../access/user-book.ts';
import { problem } from '../answer.ts';
import type { ApiAnswer } from './operation.ts';

export const busy: AccessRefusal = {
  ok: false,
  code: 'status.busy',
  reason: 'too many passwords are checked at this moment',
  waitMs: 2_000,
};

const remedies: Readonly<Record<string, string>> = {
  'status.login-refused': 'Check name, password and code.',
  'status.totp-needed': 'Send the code of your authenticator app as `totp`.',
  'status.password-needed': 'Send the password that you log in with as `currentPassword`.',
  'status.password-wrong':
    'Type the password that you log in with; an administrator can give you another one.',
  'status.totp-wrong': 'Wait for the next code of the authenticator app.',
  'status.locked-out': 'Wait, then try again.',
  'status.busy': 'Try again in a moment.',
  'status.claim-refused':
    'Read the code on the screen of the appliance; after many wrong ones it is another.',
  'status.already-claimed': 'Log in.',
  'status.users-unreadable': 'Restore the file from a backup, or reset the appliance at its console.',
  'status.users-unwritable': 'Check space and permissions of the state folder.',
  'status.last-admin': 'Give another user the role admin first.',
  'status.first-not-admin': 'Give this one the role admin (--role admin).',
};

export function accessProblem(refused: AccessRefusal): ApiAnswer {
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

/** What the lock-out keeps away is not written down again and again. */
export function attemptProblem(refused: AccessRefusal): ApiAnswer {
  const isTried = refused.code !== 'status.locked-out' && refused.code !== 'status.busy';
  return { ...accessProblem(refused), ...(isTried ? {} : { audit: null }) };
}

export function bookProblem({ code, reason }: Extract<BookVerdict, { ok: false }>): ApiAnswer {
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
    case 'status.password-needed':
    case 'status.password-wrong':
    case 'status.totp-wrong':
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
    case 'status.first-not-admin':
    case 'status.too-many-accounts':
    case 'status.already-claimed':
      return 409;
  }
}

/** The answer, or why the users and tokens stay as they are. */
export function done(verdict: BookVerdict, answer: ApiAnswer): ApiAnswer {
  return verdict.ok ? answer : bookProblem(verdict);
}
