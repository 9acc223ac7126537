// An error with a code -> one line on standard error and the exit code; every other error is thrown on.
import { AppError } from '../lib/app-error.ts';
import { type CommandContext, exitCodes } from './command.ts';
import { plainLines } from './plain-text.ts';

export async function tellRefusal(
  { complain }: Pick<CommandContext, 'complain'>,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    complain(`${plainLines(`${cause.code}: ${cause.message}`, '\n  ')}\n`);
    return cause.code === 'cli.usage' ? exitCodes.usage : exitCodes.refused;
  }
}
