/** Bounds of what strangers can hold: connections, header bytes, and how long they may take for what. */
export interface StatusLimits {
  readonly maxConnections: number;
  /** The part of the connections, and of the streams, that one client address may have. */
  readonly addressShare: number;
  /** The same for an address of this machine: what answers there may be a proxy for everybody. */
  readonly loopbackShare: number;
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  /** A body may take so long; a large one so long without another part of it. */
  readonly bodyTimeoutMs: number;
  /** A large one, which only a user may send, may take so long altogether. */
  readonly largeBodyTimeoutMs: number;
  /** How often connections are looked after. */
  readonly checkEveryMs: number;
  readonly keepAliveMs: number;
  /** A socket that has taken nothing for so long is closed; a live stream has its heartbeat more often. */
  readonly stalledMs: number;
  readonly heartbeatMs: number;
  /** A buffer that has not answered for so long is told to the listeners as away. */
  readonly bufferAwayMs: number;
}

export const defaultLimits: StatusLimits = {
  maxConnections: 256,
  addressShare: 1 / 4,
  loopbackShare: 1,
  maxHeaderBytes: 8_192,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 10_000,
  // As long as page and command line wait: a bundle of 8 MiB, 11 MB in base64, over 0.8 Mbit/s.
  largeBodyTimeoutMs: 120_000,
  checkEveryMs: 1_000,
  keepAliveMs: 5_000,
  stalledMs: 60_000,
  heartbeatMs: 15_000,
  bufferAwayMs: 3_000,
};
