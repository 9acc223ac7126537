// An error with a code of ours, or of the system about a file -> one line on standard error and the exit code; every other is thrown on.
import { AppError } from '../lib/app-error.ts';
import { errorText } from '../lib/error-text.ts';
import { type CommandContext, exitCodes } from './command.ts';
import { plainLines } from './plain-text.ts';

export async function tellRefusal(
  { complain }: Pick<CommandContext, 'complain'>,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (cause) {
    const isOurs = cause instanceof AppError;
    if (!isOurs && !isOfSystem(cause)) throw cause;
    const said = isOurs ? `${cause.code}: ${cause.message}` : `cli.system: ${errorText(cause)}`;
    complain(`${plainLines(said, '\n  ')}\n`);
    return isOurs && cause.code === 'cli.usage' ? exitCodes.usage : exitCodes.refused;
  }
}

/** What is said of a file that cannot be made, read or written: the person can do something about it. */
function isOfSystem(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause && 'errno' in cause;
}
