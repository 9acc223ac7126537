// The command line -> a command's exit code. `daemon` never comes here: supervisor/main.ts starts it.

import { errorText } from '../lib/error-text.ts';
import { nearestName } from '../lib/nearest-name.ts';
import { askAt } from './ask-at.ts';
import { exitCodes } from './command.ts';
import { commands } from './commands.ts';
import { helpText, names, usageText } from './help-text.ts';
import { type Output, openOutput } from './open-output.ts';
import { tellRefusal } from './tell-refusal.ts';

export async function runCli(options: {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Where a person may be asked; left out: nobody is. */
  readonly stdin?: NodeJS.ReadableStream;
}): Promise<number> {
  const { stdout, stderr } = options;
  // Nobody is left to be told; and `autoweave flash … 2>&1 | head` writes on.
  stderr.on('error', () => undefined);
  const complain = (text: string) => void stderr.write(text);
  // `autoweave … | head` closes the pipe early: that is no failure.
  const output = openOutput(stdout);
  const code = await runCommand(options, output, complain);
  const failure = await output.failure();
  if (failure === null) return code;
  complain(`cli.unwritable: write standard output: ${failure}\n`);
  return exitCodes.refused;
}

async function runCommand(
  { argv, environment, stderr, stdin }: Parameters<typeof runCli>[0],
  { facts, print }: Output,
  complain: (text: string) => void,
): Promise<number> {
  const [first, ...args] = argv;
  if (first === undefined) {
    complain(helpText());
    return exitCodes.usage;
  }
  const asksForHelp = args.includes('--help') || args.includes('-h');
  if (['help', '--help', '-h'].includes(first))
    return help(
      args.find((each) => !each.startsWith('-')),
      print,
      complain,
    );
  if (asksForHelp && names.includes(first)) return help(first, print, complain);
  const command = commands.find(({ name }) => name === (first === '--version' ? 'version' : first));
  if (command === undefined) return unknown(first, complain);

  try {
    const isTerminal = 'isTTY' in stderr && stderr.isTTY === true;
    const ask = isTerminal ? askAt(stdin, stderr) : null;
    const context = { args, environment, print, complain, ask, isTerminal, output: facts };
    return await tellRefusal(context, () => command.run(context));
  } catch (cause) {
    if (!isParseError(cause)) throw cause;
    complain(`autoweave ${command.name}: ${errorText(cause)}\n${usageText(command.name) ?? ''}`);
    return exitCodes.usage;
  }
}

function help(
  name: string | undefined,
  print: (text: string) => void,
  complain: (text: string) => void,
): number {
  if (name === undefined) {
    print(helpText());
    return exitCodes.ok;
  }
  const usage = usageText(name);
  if (usage === null) return unknown(name, complain);
  print(usage);
  return exitCodes.ok;
}

function unknown(name: string, complain: (text: string) => void): number {
  const near = nearestName(name, names);
  complain(
    `autoweave: there is no command "${name}". ${
      near === null ? '`autoweave help` lists all.' : `Did you mean \`autoweave ${near}\`?`
    }\n`,
  );
  return exitCodes.usage;
}

function isParseError(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('ERR_PARSE_ARGS_');
}
