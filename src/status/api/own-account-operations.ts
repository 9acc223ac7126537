// What a user does with his own account: password and second factor.
import { randomBytes } from 'node:crypto';
import { OwnPassword, TotpConfirmation, TotpEnrolment, TotpOffer } from '../../contracts/api-access.ts';
import type { Access, Caller } from '../access/access.ts';
import { toBase32, totpUri } from '../access/totp.ts';
import { jsonAnswer, noContent, problem } from '../answer.ts';
import { attemptProblem, done } from './access-problem.ts';
import { type ApiAnswer, type Operation, withBody } from './operation.ts';

const SECRET_BYTES = 20;

export function ownAccountOperations(options: {
  readonly access: Access;
  readonly appliance: string;
}): readonly Operation[] {
  const { access, appliance } = options;
  const { book } = access;
  /** Secrets that are offered and not confirmed yet; one a user. */
  const offered = new Map<string, string>();

  return [
    withBody({
      method: 'PUT',
      path: '/api/v1/users/me/password',
      summary: "Change one's own password; ends the other sessions of this user",
      role: 'viewer',
      body: OwnPassword,
      answers: { 204: null },
      async run({ body, caller }) {
        if (caller.session === null) return notAUser(caller);
        const verdict = await access.changeOwnPassword(caller.session, body);
        return verdict.ok
          ? { ...noContent, audit: { detail: 'changed the own password' } }
          : attemptProblem(verdict);
      },
    }),
    {
      method: 'POST',
      path: '/api/v1/users/me/totp',
      summary: 'Offer a secret for a second factor; it counts once it is confirmed',
      role: 'viewer',
      answers: { 200: TotpOffer },
      run({ caller }) {
        if (caller.session === null) return notAUser(caller);
        // Else whoever has copied a session would put his own phone in the place of the owner's.
        if ((book.user(caller.who)?.totp ?? null) !== null) return isOnAlready;
        const secret = randomBytes(SECRET_BYTES);
        offered.set(caller.who, secret.toString('base64'));
        const uri = totpUri(secret, { user: caller.who, appliance: appliance });
        return {
          ...jsonAnswer(200, { secret: toBase32(secret), uri }),
          audit: { detail: 'offered a secret for the second factor' },
        };
      },
    },
    withBody({
      method: 'PUT',
      path: '/api/v1/users/me/totp',
      summary: 'Confirm the offered secret with a code of it and the current password',
      role: 'viewer',
      body: TotpEnrolment,
      answers: { 204: null },
      async run({ body, caller }) {
        const secret = offered.get(caller.who);
        const account = book.user(caller.who);
        if (caller.session === null || account === null) return notAUser(caller);
        // Else whoever has copied a session would shut the owner out with a phone of his own.
        const confirmed = await access.confirmOwner(caller.session, body.current);
        if (!confirmed.ok) return attemptProblem(confirmed);
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
        if (caller.session === null) return notAUser(caller);
        const verdict = await access.dropOwnTotp(caller.session, body.code);
        return verdict.ok
          ? { ...noContent, audit: { detail: 'switched the second factor off' } }
          : attemptProblem(verdict);
      },
    }),
  ];
}

function notAUser({ who }: Caller): ApiAnswer {
  const message = `an account of one's own has a user who is logged in; ${who} is none`;
  return problem(409, { code: 'status.no-user', message, remedy: 'Log in on the page.' });
}

const isOnAlready = problem(409, {
  code: 'status.totp-on',
  message: 'this user has a second factor',
  remedy: 'Switch it off with a code of it, then set the other one up.',
});

const wrongCode = problem(403, {
  code: 'status.totp-wrong',
  message: 'the code is wrong or was used already',
  remedy: 'Wait for the next code of the authenticator app.',
});
