// Random bytes -> a W3C traceparent of a new, sampled trace.

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** `randomBytes(n)` gives n bytes; asked once, because small requests are dear. */
export function makeTraceparent(randomBytes: (n: number) => Uint8Array): string {
  const bytes = randomBytes(TRACE_ID_BYTES + SPAN_ID_BYTES);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  const traceId = orOne(hex.slice(0, 2 * TRACE_ID_BYTES));
  const spanId = orOne(hex.slice(2 * TRACE_ID_BYTES));
  return `00-${traceId}-${spanId}-01`;
}

/** The standard forbids an id of zeros; it comes once in 2^64 times, or from a source that is broken. */
function orOne(id: string): string {
  return /^0+$/.test(id) ? '1'.padStart(id.length, '0') : id;
}
