// Transitions -> event drafts and the state patch that goes with them: debounce, rate limit, draft. The second half of the
// event maker; the first half decides what is new.
import type { Instant } from '../contracts/clock.ts';
import type { UsbConfig } from '../contracts/config/usb-config.ts';
import type { EventDraft } from '../contracts/event.ts';
import type { EventData, EventType } from '../contracts/event-types.ts';
import type { EventsMetrics } from '../contracts/metrics.ts';
import { Debounce } from './debounce.ts';
import type { Made } from './event-maker.ts';
import { LowestOf } from './lowest-of.ts';
import { RateLimit, type RateLimits } from './rate-limit.ts';
import type { ToldPorts } from './told-ports.ts';
import { isPlug, type Transition } from './transition.ts';
import { suppressedData, toDraft, usbDraft } from './usb-draft.ts';

export interface TellerOptions {
  readonly limits: RateLimits & Pick<UsbConfig, 'debounceMs'>;
  readonly told: ToldPorts;
  /** Every record up to it was told by earlier runs. */
  readonly watermark: number;
  readonly metrics: EventsMetrics;
  readonly traceparent: () => string;
}

/*
 * INVARIANTS
 * - A port's transitions leave in the order in which they came.
 * - A port that is held neither by #debounce nor by #limit is told.
 * - A sequence number becomes the watermark only when no port holds a lower one.
 */
export class Teller {
  readonly #options: TellerOptions;
  readonly #told: ToldPorts;
  readonly #debounce: Debounce;
  readonly #limit: RateLimit;
  /** Lowest sequence number that each port holds. */
  readonly #unsettled = new LowestOf<string>();
  #watermark: number;
  #latest: Instant = { uptimeMs: 0, wallMs: 0, synced: false };
  #nowMs = 0;
  #drafts: EventDraft[] = [];

  constructor(options: TellerOptions) {
    this.#options = options;
    this.#told = options.told;
    this.#watermark = options.watermark;
    this.#debounce = new Debounce(options.limits.debounceMs);
    this.#limit = new RateLimit(options.limits);
  }

  /** Time goes on, and what is due by now is told. Replayed changes may lie in the past: time does not go back. */
  moveTo(observed: Instant): void {
    if (observed.uptimeMs >= this.#latest.uptimeMs) this.#latest = observed;
    this.moveToUptime(observed.uptimeMs);
  }

  moveToUptime(uptimeMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, uptimeMs);
    for (const port of this.#debounce.duePorts(this.#nowMs)) this.release(port);
    for (;;) {
      const port = this.#limit.nextPort(this.#nowMs);
      if (port === null) break;
      this.#tellSuppressed(port);
    }
    this.#tellShared(this.#nowMs);
  }

  /** Takes what is new at a port; at debounce 0 it goes on at once. */
  hold(port: string, transitions: readonly Transition[]): void {
    // A change or a ready waits for the plug it belongs to, and for nothing else.
    for (const transition of transitions)
      if (isPlug(transition) || this.#debounce.isHolding(port)) this.#debounce.hold(port, transition);
      else this.#offer(port, transition);
    if (this.#options.limits.debounceMs === 0 || this.#debounce.isFull(port)) this.release(port);
    else this.#settle(port);
  }

  /** Ends the hold of a port. */
  release(port: string): void {
    const { kept, folded } = this.#debounce.release(port);
    if (folded > 0) this.#options.metrics.folded.add(folded, { cause: 'debounce' });
    for (const transition of kept) this.#offer(port, transition);
    this.#settle(port);
  }

  releaseAll(): void {
    for (const port of this.#debounce.ports()) this.release(port);
    for (const port of this.#limit.ports()) this.#tellSuppressed(port);
    this.#tellShared(Number.POSITIVE_INFINITY);
  }

  /** An event that is no transition of a device; no limit holds it. */
  say<T extends EventType>(type: T, port: string | null, data: EventData<T>, observed: Instant): void {
    this.#options.metrics.made.add(1, { type });
    this.#drafts.push(usbDraft(type, port, data, { observed, traceparent: this.#options.traceparent() }));
  }

  /** Counts an arrival that there is no room to tell. */
  refuseArrival(): void {
    this.#limit.refuseArrival(this.#nowMs);
    this.#options.metrics.folded.add(1, { cause: 'too-many-ports' });
  }

  /** Everything told since the last call. `highestSeqnum`: highest number of all changes taken. */
  made(highestSeqnum: number): Made {
    const drafts = this.#drafts;
    if (drafts.length === 0) return { drafts, state: {} };
    this.#drafts = [];
    const settled = Math.min(highestSeqnum, this.#unsettled.lowest() - 1);
    this.#watermark = Math.max(this.#watermark, settled);
    return { drafts, state: this.#told.patch(this.#watermark) };
  }

  /** Infinity when nothing is held. */
  nextDueMs(): number {
    return Math.min(this.#debounce.nextDueMs(), this.#limit.nextDueMs());
  }

  isHolding(port: string): boolean {
    return this.#debounce.isHolding(port) || this.#limit.isKeeping(port);
  }

  forget(port: string): void {
    this.#limit.forget(port);
  }

  #offer(port: string, transition: Transition): void {
    if (this.#limit.admit(port, transition, this.#told.device(port), this.#nowMs))
      this.#tell(port, transition);
  }

  #tell(port: string, transition: Transition): void {
    const draft = toDraft(port, transition, this.#told.device(port), this.#options.traceparent());
    this.#told.tell(port, transition);
    this.#options.metrics.made.add(1, { type: draft.type });
    this.#drafts.push(draft);
  }

  #tellSuppressed(port: string): void {
    const { counts, steps, folded, covers } = this.#limit.release(port, this.#told.device(port), this.#nowMs);
    if (folded > 0) this.#options.metrics.folded.add(folded, { cause: 'rate' });
    if (counts !== null) this.say('usb.suppressed', port, suppressedData(port, counts), this.#now());
    for (const transition of steps) this.#tell(port, transition);
    if (covers !== null) this.#told.cover(port, covers.to);
    this.#settle(port);
  }

  #tellShared(uptimeMs: number): void {
    const counts = this.#limit.takeShared(uptimeMs);
    if (counts !== null) this.say('usb.suppressed', null, suppressedData(null, counts), this.#now());
  }

  #settle(port: string): void {
    const lowest = Math.min(this.#debounce.lowestSeqnum(port), this.#limit.lowestSeqnum(port));
    if (lowest === Number.POSITIVE_INFINITY) this.#unsettled.delete(port);
    else this.#unsettled.set(port, lowest);
  }

  /** The present, for what no change of its own speaks of. */
  #now(): Instant {
    const { uptimeMs, wallMs, synced } = this.#latest;
    return { uptimeMs: this.#nowMs, wallMs: wallMs + this.#nowMs - uptimeMs, synced };
  }
}
