// `autoweave user list|add|role|password|remove`: who may log in on the page.
import { parseArgs } from 'node:util';
import type { Static } from 'typebox';
import { passwordMinLength, type UserEntry } from '../contracts/api-access.ts';
import { actOptions, actUsage, applianceClient, whereOptions } from './appliance/appliance-client.ts';
import { cliError } from './cli-error.ts';
import { type CommandContext, exitCodes } from './command.ts';
import { type Action, commandGroup } from './command-group.ts';
import { oneFile } from './command-options.ts';
import { confirmAct } from './confirm-act.ts';
import { newPassword } from './new-password.ts';
import { plainLine } from './plain-text.ts';
import { roleOption } from './role-option.ts';

type Entry = Static<typeof UserEntry>;

const options = {
  ...actOptions,
  role: { type: 'string' },
  'password-file': { type: 'string' },
  yes: { type: 'boolean', default: false },
} as const;

const actions: Readonly<Record<string, Action>> = {
  list: {
    usage: `list ${whereOptions}`,
    about: 'The users, their roles, and who has a second factor.',
    async run({ args, environment, print }) {
      const { values } = parseArgs({ args: [...args], options: actOptions });
      const { users } = (await (
        await applianceClient(values, environment)
      ).get('/api/v1/users', 'users')) as {
        readonly users: readonly Entry[];
      };
      print(values.json ? `${JSON.stringify(users, null, 2)}\n` : usersText(users));
      return exitCodes.ok;
    },
  },
  add: {
    usage: `add NAME --role viewer|operator|admin [--password-file FILE] ${whereOptions}`,
    about:
      'Add a user; asks for a password. The first one is an administrator, and the appliance is claimed.',
    run: (context) =>
      act(context, async (name, { role, passwordFile }) => {
        const body = {
          name,
          role: roleOption(role),
          password: await passwordOf(context, name, passwordFile),
        };
        return { method: 'POST', path: '/api/v1/users', body, done: `${name} is ${body.role}` };
      }),
  },
  role: {
    usage: `role NAME --role viewer|operator|admin ${whereOptions}`,
    about: 'Give a user another role; ends his sessions.',
    run: (context) =>
      act(context, async (name, { role }) => {
        const body = { role: roleOption(role) };
        return { method: 'PUT', path: pathOf(name), body, done: `${name} is ${body.role}` };
      }),
  },
  password: {
    usage: `password NAME [--password-file FILE] ${whereOptions}`,
    about: 'Give a user another password; asks for it, and ends his sessions.',
    run: (context) =>
      act(context, async (name, { passwordFile }) => {
        const body = { password: await passwordOf(context, name, passwordFile) };
        return { method: 'PUT', path: pathOf(name), body, done: `${name} has another password` };
      }),
  },
  remove: {
    usage: `remove NAME [--yes] ${whereOptions}`,
    about: 'Remove a user; ends his sessions.',
    run: (context) =>
      act(context, async (name, { yes }) => {
        const consequence = `${name} can no longer log in, and his sessions end.`;
        if (!(await confirmAct(context, { yes, consequence }))) return null;
        return { method: 'DELETE', path: pathOf(name), done: `${name} is removed` };
      }),
  },
};

export const userCommand = commandGroup({
  name: 'user',
  summary: 'List, add, change and remove the users of the page',
  notes: `  --role ROLE            viewer looks; operator also restarts, allows and blocks; admin may do everything
  --yes                  do not ask
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
  { args, environment, print }: CommandContext,
  plan: (
    name: string,
    given: {
      readonly role: string | undefined;
      readonly passwordFile: string | undefined;
      readonly yes: boolean;
    },
  ) => Promise<Act | null>,
): Promise<number> {
  const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
  const name = oneFile(positionals, 'NAME');
  const given = { role: values.role, passwordFile: values['password-file'], yes: values.yes };
  const planned = await plan(name, given);
  if (planned === null) return exitCodes.refused;
  const { method, path, body, done } = planned;
  const answer = await (await applianceClient(values, environment)).send(method, path, body);
  print(values.json ? `${JSON.stringify(answer, null, 2)}\n` : `${done}\n`);
  return exitCodes.ok;
}

const pathOf = (name: string) => `/api/v1/users/${encodeURIComponent(name)}`;

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
        `${plainLine(`${name.padEnd(width)}  ${role.padEnd(8)}  ${totp ? 'second factor' : 'no second factor'}, since ${since}`)}\n`,
    )
    .join('');
}
