/** Any thrown value as one line of text, with the codes of its causes: `connect failed: ECONNREFUSED`. */
export function errorText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.message === '' ? thrown.name : thrown.message;
  return thrown.cause === undefined ? own : `${own}: ${errorText(thrown.cause)}`;
}
