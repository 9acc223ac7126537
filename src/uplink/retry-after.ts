// `Retry-After` of an answer -> how long to wait. Pure.

/** A receiver may hold us off for so long, and no longer. */
const LONGEST_MS = 24 * 3_600_000;

/**
 * Seconds, or a date (RFC 9110 section 10.2.3), which is held against the receiver's own `Date`: our clock may be wrong.
 * null: nothing that can be understood.
 */
export function retryAfterMs(
  headers: { readonly 'retry-after'?: string | undefined; readonly date?: string | undefined },
  wallMs: number,
): number | null {
  const text = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,10}$/.test(text)) return Math.min(LONGEST_MS, Number(text) * 1_000);
  const due = Date.parse(text);
  if (Number.isNaN(due)) return null;
  const sent = Date.parse(headers.date ?? '');
  const waitMs = due - (Number.isNaN(sent) ? wallMs : sent);
  return Math.min(LONGEST_MS, Math.max(0, waitMs));
}
