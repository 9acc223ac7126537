// `autoweave account password|totp-on|totp-off NAME`: what a user does with his own account, logged in for as long as that takes.
import { parseArgs } from 'node:util';
import { AppError } from '../lib/app-error.ts';
import { type ApplianceClient, actOptions, applianceClient } from './appliance/appliance-client.ts';
import { cliError } from './cli-error.ts';
import { type CommandContext, exitCodes } from './command.ts';
import { type Action, commandGroup } from './command-group.ts';
import { oneFile } from './command-options.ts';
import { readPassword } from './input-files.ts';
import { newPassword } from './new-password.ts';
import { plainLine } from './plain-text.ts';

const { ca, json, url } = actOptions;
const options = {
  ...{ ca, json, url },
  'password-file': { type: 'string' },
  'new-password-file': { type: 'string' },
} as const;
const where = '--url URL [--ca FILE] [--password-file FILE] [--json]';

type LoggedIn = { readonly client: ApplianceClient; readonly password: string };

const password: Action = {
  usage: `password NAME [--new-password-file FILE] ${where}`,
  about: 'Change the password; ends the other sessions of this user.',
  run: (context) =>
    asUser(context, async ({ client, password: current }, { file, name }) => {
      const question = `New password of ${name}: `;
      const body = { current, password: await newPassword(context, { file, question }) };
      await client.send('PUT', '/api/v1/users/me/password', body);
      return `${name} has another password`;
    }),
};

const totpOn: Action = {
  usage: `totp-on NAME ${where}`,
  about:
    'Print a secret for an authenticator app, and ask for a code of it: the second factor of every login.',
  run: (context) =>
    asUser(context, async ({ client, password: current }, { name }) => {
      const asking = atTerminal(context);
      const { secret, uri } = await client.send('POST', '/api/v1/users/me/totp');
      context.complain(`Secret: ${plainLine(String(secret))}\n${plainLine(String(uri))}\n`);
      const code = digits(await asking('Code of the app: '));
      await client.send('PUT', '/api/v1/users/me/totp', { code, current });
      return `${name} has a second factor`;
    }),
};

const totpOff: Action = {
  usage: `totp-off NAME ${where}`,
  about: 'Do without the second factor; asks for one more code, the one after that of the login.',
  run: (context) =>
    asUser(context, async ({ client }, { name }) => {
      const code = digits(await atTerminal(context)('The next code of the app: '));
      await client.send('DELETE', '/api/v1/users/me/totp', { code });
      return `${name} has no second factor`;
    }),
};

export const accountCommand = commandGroup({
  name: 'account',
  summary: "Change one's own password, or switch one's second factor on or off",
  notes: `  --url URL                  the appliance, as https://till-3.local:8480: on the control socket nobody is a user
  --ca FILE                  the certificate to trust: the one the appliance shows, once compared
  --password-file FILE       its first line is the password that holds now; else it is asked for
  --new-password-file FILE   and the one that is to hold
  --json                     the answer as JSON
An administrator gives others a new password by \`autoweave user password\`.`,
  actions: { password, 'totp-on': totpOn, 'totp-off': totpOff },
});

/** Logs in, does it, logs out whatever came of it. */
async function asUser(
  context: CommandContext,
  run: (
    loggedIn: LoggedIn,
    given: { readonly name: string; readonly file: string | undefined },
  ) => Promise<string>,
): Promise<number> {
  const { positionals, values } = parseArgs({ args: [...context.args], options, allowPositionals: true });
  const name = oneFile(positionals, 'NAME');
  if (values.url === undefined)
    throw cliError('cli.usage', '--url is needed: on the control socket nobody is a user');
  const file = values['password-file'];
  const typed =
    file === undefined
      ? await atTerminal(context, 'say --password-file FILE')(`Password of ${name}: `, { isSecret: true })
      : await readPassword(file);
  const stranger = await applianceClient({ url: values.url, ca: values.ca }, context.environment);
  const client = await stranger.logIn({ name, password: typed }).catch(async (cause: unknown) => {
    if (!(cause instanceof AppError) || cause.code !== 'status.totp-needed') throw cause;
    const totp = digits(await atTerminal(context)('Code of the app: '));
    return stranger.logIn({ name, password: typed, totp });
  });
  try {
    const done = await run({ client, password: typed }, { name, file: values['new-password-file'] });
    context.print(values.json ? `${JSON.stringify({ detail: done })}\n` : `${done}\n`);
  } finally {
    await client.send('DELETE', '/api/v1/session');
  }
  return exitCodes.ok;
}

function atTerminal(
  { ask }: CommandContext,
  instead = 'use one, or the page',
): NonNullable<CommandContext['ask']> {
  if (ask !== null) return ask;
  throw cliError('cli.no-terminal', `there is no terminal to ask at; ${instead}`);
}

/** Authenticators show the code in two groups. */
const digits = (code: string) => code.replaceAll(' ', '');
