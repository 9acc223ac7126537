// USB changes -> event drafts. Pure: time comes with the changes, and nothing happens between the calls. Runs in the
// daemon's main thread; the README has the rules. Here: what is new in a change; telling it is the teller's.
import type { StatePatch } from '../contracts/buffer.ts';
import type { Instant } from '../contracts/clock.ts';
import type { UsbConfig } from '../contracts/config/usb-config.ts';
import type { EventDraft } from '../contracts/event.ts';
import type { EventsMetrics } from '../contracts/metrics.ts';
import type { UsbChange, UsbState } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import { comparePorts } from './compare-ports.ts';
import type { RateLimits } from './rate-limit.ts';
import { type PortChange, recognizeChange } from './recognize-change.ts';
import { reconcilePort, type Snapshot } from './reconcile-port.ts';
import { type SeenPort, unseenPort } from './seen-port.ts';
import { Teller } from './teller.ts';
import { ToldPorts } from './told-ports.ts';

export interface EventMakerOptions {
  readonly limits: RateLimits & Pick<UsbConfig, 'debounceMs'>;
  readonly bootId: string;
  /** What the events stored by earlier runs have said. */
  readonly known: UsbState | null;
  readonly metrics: EventsMetrics;
  readonly traceparent: () => string;
}

/** Drafts to be appended in this order, in one transaction with the state; no state without drafts. */
export interface Made {
  readonly drafts: readonly EventDraft[];
  readonly state: StatePatch;
}

export interface EventMaker {
  /** What can be told at once, and what has become due; what is held comes later from due(). */
  take(change: UsbChange): Made;
  /** What has become due by now. */
  due(uptimeMs: number): Made;
  /** Uptime at which due() has something to do; null: nothing is held. */
  nextDueMs(): number | null;
  /** For the shutdown: everything that is held, now. */
  flush(observed: Instant): Made;
  /** What is plugged in according to the events made so far. */
  devices(): readonly UsbDevice[];
}

/** 32 full buses. Beyond it an empty port is forgotten; if none is empty, arrivals at a new port are only counted. */
const MOST_PORTS = 4_096;

export function createEventMaker(options: EventMakerOptions): EventMaker {
  return new UsbEventMaker(options);
}

/*
 * INVARIANTS
 * - #seen is the truth according to the sources, #told the truth according to the events; they differ only by what the
 *   teller holds.
 */
class UsbEventMaker implements EventMaker {
  readonly #metrics: EventsMetrics;
  readonly #seen = new Map<string, SeenPort>();
  readonly #told: ToldPorts;
  readonly #teller: Teller;
  readonly #sources = new Map<string, 'lost' | 'restored'>();
  /** Records of a port never heard of are known up to here. */
  #floor: number;
  #highestSeqnum: number;
  #scanSeqnum = -1;

  constructor({ limits, bootId, known, metrics, traceparent }: EventMakerOptions) {
    const isSameBoot = known?.bootId === bootId;
    this.#metrics = metrics;
    this.#floor = isSameBoot ? known.seqnum : -1;
    this.#highestSeqnum = Math.max(0, this.#floor);
    this.#told = new ToldPorts(bootId, known);
    for (const [port, { device, mark }] of this.#told.ports())
      this.#seen.set(port, {
        ...unseenPort(Math.max(this.#floor, isSameBoot ? mark.seqnum : -1)),
        device,
        attachedSeqnum: mark.attached,
        isReady: mark.ready,
        isCarriedOver: mark.carried,
      });
    const watermark = this.#highestSeqnum;
    this.#teller = new Teller({ limits, told: this.#told, watermark, metrics, traceparent });
  }

  take(change: UsbChange): Made {
    this.#teller.moveTo(change.observed);
    switch (change.kind) {
      case 'source':
        this.#takeSource(change);
        break;
      case 'snapshot':
        this.#takeSnapshot(change);
        break;
      case 'attached':
      case 'detached':
      case 'changed':
      case 'ready':
        this.#takePortChange(change);
        break;
    }
    return this.#teller.made(this.#highestSeqnum);
  }

  due(uptimeMs: number): Made {
    this.#teller.moveToUptime(uptimeMs);
    return this.#teller.made(this.#highestSeqnum);
  }

  nextDueMs(): number | null {
    const next = this.#teller.nextDueMs();
    return next === Number.POSITIVE_INFINITY ? null : next;
  }

  flush(observed: Instant): Made {
    this.#teller.moveTo(observed);
    this.#teller.releaseAll();
    return this.#teller.made(this.#highestSeqnum);
  }

  devices(): readonly UsbDevice[] {
    return [...this.#told.ports().values()]
      .flatMap(({ device }) => (device === null ? [] : [device]))
      .sort((a, b) => comparePorts(a.port, b.port));
  }

  #takeSource(change: Extract<UsbChange, { readonly kind: 'source' }>): void {
    const { source, state, why, observed } = change;
    if (this.#sources.get(source) === state) {
      this.#metrics.deduplicated.add(1);
      return;
    }
    this.#sources.set(source, state);
    this.#teller.say(
      state === 'lost' ? 'usb.source.lost' : 'usb.source.restored',
      null,
      { source, why },
      observed,
    );
  }

  #takePortChange(change: PortChange): void {
    const { port, seqnum } = change;
    // The cross-check reports late and without numbers: it is heard only where nobody else can see.
    const isUnheard = change.source === 'libusb' && this.#sources.get('kernel') !== 'lost';
    const seen = isUnheard ? null : this.#seenPort(port);
    if (seen === null) {
      if (!isUnheard && change.kind === 'attached') this.#teller.refuseArrival();
      else this.#metrics.deduplicated.add(1);
      return;
    }
    if (change.kind !== 'ready') this.#highestSeqnum = Math.max(this.#highestSeqnum, seqnum ?? 0);
    const { seen: after, transitions, verdict } = recognizeChange(seen, change, this.#scanSeqnum);
    if (verdict === 'duplicate') this.#metrics.deduplicated.add(1);
    if (verdict === 'late-ready') this.#metrics.folded.add(1, { cause: 'late-ready' });
    this.#seen.set(port, after);
    if (transitions.length === 0) this.#keep(port, seen, after);
    this.#teller.hold(port, transitions);
  }

  #takeSnapshot(scan: Snapshot): void {
    const found = new Map(scan.devices.map((device) => [device.port, device]));
    const known = [...this.#seen].filter(([, seen]) => seen.device !== null).map(([port]) => port);
    // A scan that another has overtaken compares with nothing any more.
    const isOvertaken = scan.seqnum !== null && scan.seqnum < this.#scanSeqnum;
    const ports = isOvertaken ? [] : [...new Set([...known, ...found.keys()])].sort(comparePorts);
    const counts = { added: 0, removed: 0, changed: 0, ready: 0 };
    for (const port of ports) {
      const seen = this.#seenPort(port);
      if (seen === null) {
        this.#teller.refuseArrival();
        continue;
      }
      const { seen: after, transitions } = reconcilePort(seen, found.get(port) ?? null, scan);
      for (const { kind } of transitions) counts[kind] += 1;
      this.#seen.set(port, after);
      if (transitions.length === 0) this.#keep(port, seen, after);
      this.#teller.hold(port, transitions);
      // What the port held came before what the scan found, and both before the summary.
      if (transitions.length > 0) this.#teller.release(port);
    }
    // No watermark: records up to this number may still be on their way, and one of a short plug is the only one to tell of it.
    this.#scanSeqnum = Math.max(this.#scanSeqnum, scan.seqnum ?? -1);
    const { added, removed, changed } = counts;
    const { reason, certainty, blindSinceUptimeMs, observed } = scan;
    if (reason === 'timer' && added + removed + changed === 0) return;
    const summary = { reason, certainty, present: found.size, added, removed, changed, blindSinceUptimeMs };
    this.#teller.say('usb.device.reconciled', null, summary, observed);
  }

  /** The same device after a reboot is no event, but its new address belongs to the state. */
  #keep(port: string, before: SeenPort, after: SeenPort): void {
    if (before.isCarriedOver && !after.isCarriedOver && after.device !== null)
      this.#told.keep(port, after.device, after.attachedSeqnum);
  }

  /** null: the port is new and there is no room for it. */
  #seenPort(port: string): SeenPort | null {
    const seen = this.#seen.get(port);
    if (seen !== undefined) return seen;
    if (this.#seen.size >= MOST_PORTS && !this.#forgetOnePort()) return null;
    return unseenPort(this.#floor);
  }

  #forgetOnePort(): boolean {
    for (const [port, { device, seqnum }] of this.#seen) {
      if (device !== null || this.#teller.isHolding(port)) continue;
      this.#seen.delete(port);
      this.#teller.forget(port);
      // Late reports of the forgotten port must stay known, at the price of every port that is not remembered.
      this.#floor = Math.max(this.#floor, seqnum);
      return true;
    }
    return false;
  }
}
