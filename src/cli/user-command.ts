// `autoweave user list|add|role|password|remove`: who may log in on the page.
import { parseArgs } from 'node:util';
import type { Static } from 'typebox';
import { passwordMinLength, type Role, roles, type UserEntry } from '../contracts/api-access.ts';
import { actOptions, actUsage, applianceClient } from './appliance/appliance-client.ts';
import { cliError } from './cli-error.ts';
import { type CommandContext, exitCodes } from './command.ts';
import { type Action, commandGroup } from './command-group.ts';
import { oneFile } from './command-options.ts';
import { newPassword } from './new-password.ts';

type Entry = Static<typeof UserEntry>;

const options = {
  ...actOptions,
  role: { type: 'string' },
  'password-file': { type: 'string' },
} as const;
const where = '[--json] [--socket FILE | --url URL --token-file FILE]';

const actions: Readonly<Record<string, Action>> = {
  list: {
    usage: `list ${where}`,
    about: 'The users, their roles, and who has a second factor.',
    async run({ args, print }) {
      const { values } = parseArgs({ args: [...args], options: actOptions });
      const { users } = (await (await applianceClient(values)).get('/api/v1/users')) as {
        readonly users: readonly Entry[];
      };
      print(values.json ? `${JSON.stringify(users, null, 2)}\n` : usersText(users));
      return exitCodes.ok;
    },
  },
  add: {
    usage: `add NAME --role viewer|operator|admin [--password-file FILE] ${where}`,
    about:
      'Add a user; asks for a password. The first one is an administrator, and the appliance is claimed.',
    run: (context) =>
      act(context, async (name, { role, passwordFile }) => {
        const body = { name, role: roleOf(role), password: await passwordOf(context, name, passwordFile) };
        return { method: 'POST', path: '/api/v1/users', body, done: `${name} is ${body.role}` };
      }),
  },
  role: {
    usage: `role NAME --role viewer|operator|admin ${where}`,
    about: 'Give a user another role; ends his sessions.',
    run: (context) =>
      act(context, async (name, { role }) => {
        const body = { role: roleOf(role) };
        return { method: 'PUT', path: pathOf(name), body, done: `${name} is ${body.role}` };
      }),
  },
  password: {
    usage: `password NAME [--password-file FILE] ${where}`,
    about: 'Give a user another password; asks for it, and ends his sessions.',
    run: (context) =>
      act(context, async (name, { passwordFile }) => {
        const body = { password: await passwordOf(context, name, passwordFile) };
        return { method: 'PUT', path: pathOf(name), body, done: `${name} has another password` };
      }),
  },
  remove: {
    usage: `remove NAME ${where}`,
    about: 'Remove a user; ends his sessions.',
    run: (context) =>
      act(context, async (name) => ({
        ...{ method: 'DELETE', path: pathOf(name), done: `${name} is removed` },
      })),
  },
};

export const userCommand = commandGroup({
  name: 'user',
  summary: 'List, add, change and remove the users of the page',
  notes: `  --role ROLE            viewer looks; operator also restarts, allows and blocks; admin may do everything
  --password-file FILE   its first line is the password, of ${passwordMinLength} characters or more
${actUsage}`,
  actions,
});

interface Act {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly done: string;
}

async function act(
  { args, print }: CommandContext,
  plan: (
    name: string,
    given: { readonly role: string | undefined; readonly passwordFile: string | undefined },
  ) => Promise<Act>,
): Promise<number> {
  const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
  const name = oneFile(positionals, 'NAME');
  const given = { role: values.role, passwordFile: values['password-file'] };
  const { method, path, body, done } = await plan(name, given);
  const answer = await (await applianceClient(values)).send(method, path, body);
  print(values.json ? `${JSON.stringify(answer, null, 2)}\n` : `${done}\n`);
  return exitCodes.ok;
}

const pathOf = (name: string) => `/api/v1/users/${encodeURIComponent(name)}`;

function roleOf(text: string | undefined): Role {
  const role = roles.find((each) => each === text);
  if (role === undefined)
    throw cliError(
      'cli.usage',
      `--role is needed: ${roles.join(', ')}${text === undefined ? '' : `, not ${text}`}`,
    );
  return role;
}

async function passwordOf(context: CommandContext, name: string, file: string | undefined): Promise<string> {
  const password = await newPassword(context, { file, question: `New password of ${name}: ` });
  if (password.length < passwordMinLength)
    throw cliError(
      'cli.usage',
      `the password has ${password.length} characters; ${passwordMinLength} are needed`,
    );
  return password;
}

function usersText(users: readonly Entry[]): string {
  if (users.length === 0) return 'nobody: `autoweave claim-code` prints what the page asks for\n';
  const width = Math.max(...users.map(({ name }) => name.length));
  return users
    .map(
      ({ name, role, since, totp }) =>
        `${name.padEnd(width)}  ${role.padEnd(8)}  ${totp ? 'second factor' : 'no second factor'}, since ${since}\n`,
    )
    .join('');
}
