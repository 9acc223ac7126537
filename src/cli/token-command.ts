// `autoweave token list|add|remove`: what programs log in with.
import { parseArgs } from 'node:util';
import type { Static } from 'typebox';
import type { TokenEntry } from '../contracts/api-access.ts';
import { errorText } from '../lib/error-text.ts';
import { actOptions, actUsage, applianceClient, whereOptions } from './appliance/appliance-client.ts';
import { cliError } from './cli-error.ts';
import { exitCodes } from './command.ts';
import { type Action, commandGroup } from './command-group.ts';
import { oneFile } from './command-options.ts';
import { confirmAct } from './confirm-act.ts';
import { openNewFile } from './open-new-file.ts';
import { plainLine } from './plain-text.ts';
import { roleOption } from './role-option.ts';

type Entry = Static<typeof TokenEntry>;

const list: Action = {
  usage: `list ${whereOptions}`,
  about: 'The tokens and their roles; what they are is kept nowhere.',
  async run({ args, environment, print }) {
    const { values } = parseArgs({ args: [...args], options: actOptions });
    const answer = await (await applianceClient(values, environment)).get('/api/v1/tokens', 'tokens');
    const { tokens } = answer as unknown as { readonly tokens: readonly Entry[] };
    print(values.json ? `${JSON.stringify(tokens, null, 2)}\n` : tokensText(tokens));
    return exitCodes.ok;
  },
};

const add: Action = {
  usage: `add NAME --role viewer|operator|admin [--out FILE] ${whereOptions}`,
  about:
    'Make a token and print it, this once; with --out it goes into a file that its owner alone can read.',
  async run({ args, environment, print }) {
    const options = { ...actOptions, role: { type: 'string' }, out: { type: 'string' } } as const;
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    const name = oneFile(positionals, 'NAME');
    const body = { name, role: roleOption(values.role) };
    const client = await applianceClient(values, environment);
    // The file comes first: a token that nobody could read would stay behind.
    await using file = values.out === undefined ? null : await openNewFile(values.out);
    const { token } = await client.send('POST', '/api/v1/tokens', body).catch(async (cause: unknown) => {
      await file?.forget();
      throw cause;
    });
    if (file === null) {
      print(values.json ? `${JSON.stringify({ token })}\n` : `${plainLine(String(token))}\n`);
      return exitCodes.ok;
    }
    await file.write(`${String(token)}\n`).catch((cause: unknown) => {
      throw cliError(
        'cli.unwritable',
        `write ${values.out ?? ''}: ${errorText(cause)}; remove the token ${name}, it was told to nobody`,
        cause,
      );
    });
    print(values.json ? `${JSON.stringify({ file: values.out })}\n` : `${values.out ?? ''}\n`);
    return exitCodes.ok;
  },
};

const remove: Action = {
  usage: `remove NAME [--yes] ${whereOptions}`,
  about: 'Take a token back: its program is refused from now on.',
  async run({ args, ask, complain, environment, print }) {
    const options = { ...actOptions, yes: { type: 'boolean', default: false } } as const;
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    const name = oneFile(positionals, 'NAME');
    const consequence = `What uses the token ${name} is refused from then on.`;
    if (!(await confirmAct({ ask, complain }, { yes: values.yes, consequence }))) return exitCodes.refused;
    const path = `/api/v1/tokens/${encodeURIComponent(name)}`;
    const answer = await (await applianceClient(values, environment)).send('DELETE', path);
    print(values.json ? `${JSON.stringify(answer)}\n` : `${name} is removed\n`);
    return exitCodes.ok;
  },
};

export const tokenCommand = commandGroup({
  name: 'token',
  summary: 'List, make and remove the tokens that programs log in with',
  notes: `  --role ROLE        viewer looks; operator also restarts, allows and blocks; admin may do everything
  --yes              do not ask
${actUsage}`,
  actions: { list, add, remove },
});

function tokensText(tokens: readonly Entry[]): string {
  if (tokens.length === 0) return 'there is no token\n';
  const width = Math.max(...tokens.map(({ name }) => name.length));
  return tokens
    .map(
      ({ name, role, since }) => `${plainLine(`${name.padEnd(width)}  ${role.padEnd(8)}  since ${since}`)}\n`,
    )
    .join('');
}
