// A password that is to hold from now on, from a file or typed twice, unseen; never from an argument.
import { cliError } from './cli-error.ts';
import type { CommandContext } from './command.ts';
import { readPassword } from './input-files.ts';

export async function newPassword(
  { ask }: Pick<CommandContext, 'ask'>,
  options: {
    readonly file: string | undefined;
    readonly question: string;
    /** What to say in place of a password file, where one may do without. */
    readonly instead?: string;
  },
): Promise<string> {
  const { file, instead, question } = options;
  if (file !== undefined) return readPassword(file);
  const or = instead === undefined ? '' : `, or ${instead}`;
  if (ask === null)
    throw cliError(
      'cli.no-terminal',
      `there is no terminal to ask for a password; say --password-file FILE${or}`,
    );
  const password = await ask(question, { isSecret: true });
  if (password === '')
    throw cliError(
      'cli.usage',
      `the password is empty; ${instead === undefined ? 'type one' : `say ${instead} if that is meant`}`,
    );
  if ((await ask('The same again: ', { isSecret: true })) !== password)
    throw cliError('cli.passwords-differ', 'the two passwords are not the same; nothing was changed');
  return password;
}
