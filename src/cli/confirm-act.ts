// What cannot be undone is asked for first: the person at the terminal, or --yes in a script.
import { cliError } from './cli-error.ts';
import type { CommandContext } from './command.ts';

/**
 * true: it may be done. @param word what has to be typed; else a yes is enough
 * @throws cliError where nobody can be asked
 */
export async function confirmAct(
  { ask, complain }: Pick<CommandContext, 'ask' | 'complain'>,
  options: { readonly yes: boolean; readonly consequence: string; readonly word?: string },
): Promise<boolean> {
  const { consequence, word, yes } = options;
  if (yes) return true;
  if (ask === null)
    throw cliError(
      'cli.no-terminal',
      `${consequence} There is no terminal to ask at; say --yes if that is meant`,
    );
  const question = word === undefined ? 'Do it? [y/N] ' : `Type ${word} to do it: `;
  const answer = await ask(`${consequence} ${question}`);
  if (word === undefined ? /^y(es)?$/i.test(answer) : answer === word) return true;
  complain('Nothing was done.\n');
  return false;
}
