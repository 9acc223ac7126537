import type { Command } from '../../src/cli/command.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param answers what a person types, in turn; left out: nobody is there */
export async function runCommand(
  command: Command,
  args: readonly string[],
  answers?: readonly string[],
): Promise<Ran> {
  const said = { out: '', err: '' };
  const left = [...(answers ?? [])];
  const code = await command.run({
    args,
    environment: {},
    print: (text) => {
      said.out += text;
    },
    complain: (text) => {
      said.err += text;
    },
    ask: answers === undefined ? null : async () => left.shift() ?? '',
    isTerminal: false,
    output: { isTerminal: false, ended: new AbortController().signal },
  });
  return { code, ...said };
}
