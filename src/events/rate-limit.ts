// Which transitions may be told now. One bucket per port and one over all; the port's is asked first, so that a flapping
// device uses up nothing but its own. What is over a limit is kept as its net result and told once there is a token again.
import type { UsbConfig } from '../contracts/config/usb-config.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import { LowestOf } from './lowest-of.ts';
import {
  type Counts,
  NO_COUNTS,
  nothingSuppressed,
  type Suppressed,
  sum,
  suppress,
  toNetResult,
  total,
} from './suppressed-port.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Covered, Transition } from './transition.ts';

export type RateLimits = Pick<UsbConfig, 'portEventsPerSecond' | 'portBurst' | 'eventsPerSecond' | 'burst'>;

/** A port's usb.suppressed, and the one over all ports, come at most so often. */
const SUPPRESSED_EVERY_MS = 1_000;

interface Kept {
  suppressed: Suppressed;
  /** Kept by the limit over all ports: counted there, not for the port. */
  readonly isShared: boolean;
}

export interface Release {
  /** For a usb.suppressed of this port; null when nothing of it was folded. */
  readonly counts: Counts | null;
  readonly steps: readonly Transition[];
  /** How many transitions are told by a count alone. */
  readonly folded: number;
  readonly covers: Covered | null;
}

export class RateLimit {
  readonly #limits: RateLimits;
  readonly #all: TokenBucket;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #kept = new Map<string, Kept>();
  /** Ports kept by their own limit, with the time at which they may be told. */
  readonly #due = new LowestOf<string>();
  /** Ports that wait for the bucket over all, first come first served; told together, so that one count tells of all. */
  readonly #waiting = new Set<string>();
  #batchMs = Number.POSITIVE_INFINITY;
  #shared: Counts = NO_COUNTS;
  #sharedDueMs = Number.POSITIVE_INFINITY;

  constructor(limits: RateLimits) {
    this.#limits = limits;
    this.#all = new TokenBucket(limits.eventsPerSecond, limits.burst, 0);
  }

  /** true: tell it now, it has been charged. false: it is kept. `told` is what events have said of the port so far. */
  admit(port: string, transition: Transition, told: UsbDevice | null, uptimeMs: number): boolean {
    const kept = this.#kept.get(port);
    if (kept !== undefined) {
      kept.suppressed = suppress(kept.suppressed, transition);
      return false;
    }
    const bucket = this.#bucketOf(port, uptimeMs);
    const isWithinPort = bucket.hasToken(uptimeMs);
    if (isWithinPort && this.#waiting.size === 0 && this.#all.hasToken(uptimeMs)) {
      bucket.charge(1, uptimeMs);
      this.#all.charge(1, uptimeMs);
      return true;
    }
    const suppressed = suppress(nothingSuppressed(told), transition);
    this.#kept.set(port, { suppressed, isShared: isWithinPort });
    if (isWithinPort) this.#wait(port, uptimeMs);
    else this.#due.set(port, Math.max(uptimeMs + SUPPRESSED_EVERY_MS, bucket.nextTokenMs()));
    return false;
  }

  /** Counts a device that there is no room to follow. */
  refuseArrival(uptimeMs: number): void {
    const counts = { ...NO_COUNTS, added: 1, fromUptimeMs: uptimeMs, toUptimeMs: uptimeMs };
    this.#share(counts, uptimeMs + SUPPRESSED_EVERY_MS);
  }

  /** A port that may be told now; null when there is none. To be released before the next is asked for. */
  nextPort(uptimeMs: number): string | null {
    for (const port of this.#due.keysUpTo(uptimeMs)) {
      if (this.#waiting.size === 0 && this.#all.hasToken(uptimeMs)) return port;
      this.#due.delete(port);
      this.#wait(port, uptimeMs);
    }
    if (uptimeMs < this.#batchMs) return null;
    const [first] = this.#waiting;
    if (first !== undefined && this.#all.hasToken(uptimeMs)) return first;
    this.#batchMs = Math.max(uptimeMs + SUPPRESSED_EVERY_MS, this.#all.nextTokenMs());
    return null;
  }

  /** Takes the port out and charges for what is told of it, into debt if need be. */
  release(port: string, told: UsbDevice | null, uptimeMs: number): Release {
    const kept = this.#kept.get(port);
    if (kept === undefined) return { counts: null, steps: [], folded: 0, covers: null };
    this.#kept.delete(port);
    this.#due.delete(port);
    this.#waiting.delete(port);
    if (this.#waiting.size === 0) this.#batchMs = Number.POSITIVE_INFINITY;
    const { steps, folded, counts: rest } = toNetResult(kept.suppressed, told);
    // Due at once: it belongs into the transaction of the steps, or a crash could lose the count.
    if (kept.isShared) this.#share(rest, uptimeMs);
    const counts = kept.isShared || total(rest) === 0 ? null : rest;
    const events = steps.length + (counts === null ? 0 : 1);
    this.#bucketOf(port, uptimeMs).charge(events, uptimeMs);
    this.#all.charge(events, uptimeMs);
    return { counts, steps, folded, covers: kept.suppressed.covers };
  }

  /** The counts of the limit over all ports once they are due; `uptimeMs` Infinity: whatever there is. */
  takeShared(uptimeMs: number): Counts | null {
    if (this.#sharedDueMs > uptimeMs || total(this.#shared) === 0) return null;
    const counts = this.#shared;
    this.#shared = NO_COUNTS;
    this.#sharedDueMs = Number.POSITIVE_INFINITY;
    return counts;
  }

  isKeeping(port: string): boolean {
    return this.#kept.has(port);
  }

  ports(): readonly string[] {
    return [...this.#kept.keys()];
  }

  forget(port: string): void {
    this.#buckets.delete(port);
  }

  /** Infinity when nothing is kept. */
  nextDueMs(): number {
    return Math.min(this.#due.lowest(), this.#batchMs, this.#sharedDueMs);
  }

  lowestSeqnum(port: string): number {
    return this.#kept.get(port)?.suppressed.covers?.from ?? Number.POSITIVE_INFINITY;
  }

  #wait(port: string, uptimeMs: number): void {
    this.#waiting.add(port);
    this.#batchMs = Math.min(this.#batchMs, uptimeMs + SUPPRESSED_EVERY_MS);
  }

  #share(counts: Counts, dueMs: number): void {
    if (total(counts) === 0) return;
    this.#shared = sum(this.#shared, counts);
    this.#sharedDueMs = Math.min(this.#sharedDueMs, dueMs);
  }

  #bucketOf(port: string, uptimeMs: number): TokenBucket {
    let bucket = this.#buckets.get(port);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#limits.portEventsPerSecond, this.#limits.portBurst, uptimeMs);
      this.#buckets.set(port, bucket);
    }
    return bucket;
  }
}
