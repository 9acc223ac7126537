/** The errno name of a failed system call, `ENOENT`; anything else that was thrown is a bug and is thrown on. */
export function errnoOf(thrown: unknown): string {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  throw thrown;
}
