// What is wrong with the files and options that a command was given.
import { AppError } from '../lib/app-error.ts';

export type CliErrorCode =
  | 'cli.usage'
  | 'cli.unreadable'
  | 'cli.exists'
  | 'cli.unwritable'
  | 'cli.no-terminal'
  | 'cli.passwords-differ'
  | 'cli.bundler-missing'
  | 'cli.build-failed';

export function cliError(code: CliErrorCode, message: string, cause?: unknown): AppError<CliErrorCode> {
  return new AppError(code, message, cause === undefined ? {} : { cause });
}

/** The value of a yes, or a no as an error with its code. @param file named in front of the reason */
export function orThrow<Verdict extends { readonly ok: boolean }>(
  verdict: Verdict | Refusal,
  file?: string,
): Extract<Verdict, { readonly ok: true }> {
  if (verdict.ok) return verdict as Extract<Verdict, { readonly ok: true }>;
  const { code, reason } = verdict as Refusal;
  throw new AppError(code, file === undefined ? reason : `${file}: ${reason}`);
}

interface Refusal {
  readonly ok: false;
  readonly code: string;
  readonly reason: string;
}
