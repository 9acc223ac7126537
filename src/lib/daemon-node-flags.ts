/**
 * Flags of Node for the daemon. Without them V8 lets its heap grow to many times what lives in it before it collects: 403 MB resident with
 * 16 MB alive in a drain; `npm run drill -- offline` prints what it is with them. The largest heap is above what is kept
 * while Redis is away (50,000 events and 64 MB of text at most, twice that in memory where it is not Latin-1); reaching it is a fault, and the
 * daemon is started again.
 */
export const daemonNodeFlags: readonly string[] = [
  '--max-semi-space-size=2',
  '--heap-growing-percent=30',
  '--max-old-space-size=256',
];
