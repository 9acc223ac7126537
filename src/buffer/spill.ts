// Moves the oldest events from the stream to the archive when Redis holds more than it should, and gives archived ones up where
// the bounds ask for it. One run at a time; whatever fails is health, and is tried again with the next one.
import type { Clock } from '../contracts/clock.ts';
import type { BufferConfig } from '../contracts/config/buffer-config.ts';
import { compareEventIds, type EventId, formatEventId } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';
import type { Log } from '../contracts/log.ts';
import type { BufferMetrics } from '../contracts/metrics.ts';
import { errorText } from '../lib/error-text.ts';
import type { Archive, NewSegment } from './archive/archive.ts';
import type { ArchiveFiles } from './archive/archive-files.ts';
import { observedIn } from './archive/observed.ts';
import { allowedBytes, planDrops } from './archive/plan-drops.ts';
import { isBufferError } from './buffer-error.ts';
import type { BufferHealth } from './buffer-health.ts';
import { type CollectLimits, collectSegment } from './collect-segment.ts';
import { provenAgeMs } from './event-age.ts';
import { EVENTS } from './keys.ts';
import type { RedisKeeper } from './redis-keeper.ts';
import type { RedisLink } from './redis-link.ts';
import type { StoreView } from './store-view.ts';
import { parseEntry, type RawEntry } from './stored-entry.ts';

const HOUR_MS = 3_600_000;
/** Appended bytes after which the stream's size is looked at. */
const LOOK_EVERY_BYTES = 2_097_152;
/** Of a segment's lines, and of its entries: what is given up or lost at once, and what a trim removes at once. */
const SEGMENT_BYTES = 8_388_608;
const SEGMENT_ENTRIES = 16_384;
/** How many segments without a provable age are passed in search of one that proves those before it too old. */
const AGE_SEARCH = 64;
/** In the stream so many entries are looked at from the oldest on, and again behind so many, twice as many … */
const AGE_PAGE = 16;

/** Past a bound so much of it is kept: the gaps that tell what went are events too, and must not drive out others. */
const ROOM_FOR_GAPS = 0.95;

type Limits = Pick<
  BufferConfig,
  'memoryMaxBytes' | 'archiveMaxBytes' | 'archiveKeepFreeBytes' | 'maxAgeHours' | 'maxEvents'
>;

export interface SpillOptions {
  readonly limits: Limits;
  readonly archive: Archive;
  readonly files: Pick<ArchiveFiles, 'room'>;
  readonly keeper: RedisKeeper;
  readonly view: StoreView;
  readonly clock: Clock;
  readonly metrics: BufferMetrics;
  readonly health: BufferHealth;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly slowest: () => EventId | null;
  /** Trims what all have read: that need not be archived. */
  readonly tidy: () => Promise<void>;
  readonly saySpilled: (data: EventData<'buffer.spilled'>) => void;
  /** Resolves with whether they are stored. */
  readonly sayGaps: (gaps: readonly EventData<'buffer.gap'>[]) => Promise<boolean>;
}

/** What Redis says of the stream. */
interface StreamSize {
  readonly bytes: number;
  readonly length: number;
}

/**
 * INVARIANTS
 * - An event leaves the stream after it is durable in the archive, and the archive's index has it before the trim is sent.
 * - Nothing is given up out of the archive while the stream may still have it.
 */
export class Spill {
  readonly #options: SpillOptions;
  #unseenBytes = 0;
  #running: Promise<void> | undefined;
  #streamBytes = 0;
  /** Since the archive was empty, or since the start. */
  #moved = 0;
  #isSpilled: boolean | undefined;

  constructor(options: SpillOptions) {
    this.#options = options;
  }

  get streamBytes(): number {
    return this.#streamBytes;
  }

  /** So many bytes more are in the stream. */
  appended(bytes: number): void {
    this.#unseenBytes += bytes;
    if (this.#unseenBytes >= Math.min(LOOK_EVERY_BYTES, this.#options.limits.memoryMaxBytes / 4))
      void this.check();
  }

  /** Looks at the bounds and keeps them. Never rejects; a check that is under way is the one that counts. */
  check(): Promise<void> {
    this.#running ??= this.#check().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #check(): Promise<void> {
    const { archive, health, keeper } = this.#options;
    const link = keeper.current;
    if (link === undefined) return;
    try {
      this.#isSpilled ??= archive.index.count > 0;
      await this.#moveAll(link);
      const what =
        archive.index.count > 0 ? `${archive.index.count} events are in the archive` : 'the archive is empty';
      health.say('archive', 'ok', what);
    } catch (thrown) {
      if (!link.isOpen || isBufferError(thrown, 'buffer.stopped')) return;
      const room = await this.#makeRoom(thrown);
      const why = `the archive cannot be kept (${errorText(thrown)}): events stay in Redis until its memory is full, then the newest are lost`;
      if (!room)
        health.say(
          'archive',
          'degraded',
          `${why}. Make the state folder writable, or free space on its disk`,
        );
    }
    this.#tellSpilled();
  }

  async #moveAll(link: RedisLink): Promise<void> {
    const { archive, signal, slowest, sayGaps, view } = this.#options;
    // The last run may have ended between the archive and the trim.
    if (compareEventIds(view.floor, archive.index.last) < 0) await this.#trim(link, archive.index.last);
    for (let tidied = false, more = true; more && link.isOpen && !signal.aborted; tidied = true) {
      const size = await this.#sizeOf(link);
      const limits = await this.#toMove(link, size);
      if (limits !== null && !tidied) {
        await this.#options.tidy();
        continue;
      }
      more = limits !== null && (await this.#moveOne(link, limits));
      await this.#keepBounds(size.length);
      await archive.tellGone(slowest(), sayGaps);
    }
  }

  async #sizeOf(link: RedisLink): Promise<StreamSize> {
    this.#unseenBytes = 0;
    const [bytes, length] = await link.exchange('look at the size of the stream', (redis) =>
      Promise.all([redis.memory('USAGE', EVENTS), redis.xlen(EVENTS)]),
    );
    this.#streamBytes = Number(bytes ?? 0);
    this.#options.metrics.bytes.set(this.#streamBytes);
    return { bytes: this.#streamBytes, length };
  }

  /** Null: nothing has to move. What is too old or too many moves too: only the archive knows how to give events up. */
  async #toMove(link: RedisLink, { bytes, length }: StreamSize): Promise<CollectLimits | null> {
    const { archive, limits } = this.#options;
    if (length === 0) return null;
    const maxBytes = Math.min(SEGMENT_BYTES, Math.ceil(limits.memoryMaxBytes / 4));
    const whole = { maxBytes, maxEntries: SEGMENT_ENTRIES, entryBytes: bytes / length, isWanted: () => true };
    if (bytes > limits.memoryMaxBytes) return whole;
    const excess = this.#excessEvents(length);
    // What the archive has can go without moving anything.
    const excessOfStream = Math.min(excess - archive.index.count, length);
    if (excessOfStream > 0) return { ...whole, maxEntries: Math.min(SEGMENT_ENTRIES, excessOfStream) };
    if (limits.maxAgeHours === 0) return null;
    const tooOld = await this.#findTooOld(link);
    if (tooOld === null) return null;
    const isWanted = (json: string, id: EventId) =>
      compareEventIds(id, tooOld) <= 0 && this.#isTooOld(json) !== false;
    return { ...whole, isWanted };
  }

  /** Null: the event has no provable age. */
  #isTooOld(json: string): boolean | null {
    const { clock, limits } = this.#options;
    const ageMs = provenAgeMs(observedIn(json), clock);
    return ageMs === null ? null : ageMs > limits.maxAgeHours * HOUR_MS;
  }

  /** An event of the stream that is surely too old, and with it those before it whose age nothing proves. Null: none is found. */
  async #findTooOld(link: RedisLink): Promise<EventId | null> {
    let found: EventId | null = null;
    let base: EventId | null = null;
    for (let step = 0; ; step = Math.max(AGE_PAGE, 2 * step)) {
      const from: string = base === null ? '-' : formatEventId({ ...base, number: base.number + step });
      const entries: RawEntry[] = await link.exchange('look at the oldest events', (redis) =>
        redis.xrange(EVENTS, from, '+', 'COUNT', AGE_PAGE),
      );
      for (const entry of entries) {
        const parsed = parseEntry(entry);
        base ??= parsed.ok ? parsed.event.id : parsed.id;
        const isTooOld = parsed.ok ? this.#isTooOld(parsed.event.json) : null;
        if (isTooOld === false) return found;
        if (parsed.ok && isTooOld === true) found = parsed.event.id;
      }
      if (entries.length < AGE_PAGE) return found;
    }
  }

  /** false: there was nothing to move. */
  async #moveOne(link: RedisLink, limits: CollectLimits): Promise<boolean> {
    const { archive, metrics, view } = this.#options;
    const upTo = view.acknowledged;
    if (upTo === null) return false;
    const segment = await collectSegment(link, { from: archive.index.last, upTo }, limits);
    if (segment === null) return false;
    await archive.store(segment);
    const count = countOf(segment);
    this.#moved += count;
    metrics.spilled.add(count);
    await this.#trim(link, { generation: segment.generation, number: segment.last });
    return true;
  }

  async #trim(link: RedisLink, upTo: EventId): Promise<void> {
    const minId = formatEventId({ ...upTo, number: upTo.number + 1 });
    await link.exchange('trim what is archived', (redis) => redis.xtrim(EVENTS, 'MINID', '=', minId));
    this.#options.view.trimmed(upTo);
  }

  #excessEvents(streamLength: number): number {
    const { archive, limits } = this.#options;
    const count = archive.index.count + streamLength;
    if (limits.maxEvents === 0 || count <= limits.maxEvents) return 0;
    return count - Math.floor(limits.maxEvents * ROOM_FOR_GAPS);
  }

  async #keepBounds(streamLength: number): Promise<void> {
    const { archive, files, limits, metrics } = this.#options;
    const { index } = archive;
    if (index.count > 0) {
      const allowed = allowedBytes({
        ...{
          bytes: index.bytes,
          maxBytes: limits.archiveMaxBytes,
          keepFreeBytes: limits.archiveKeepFreeBytes,
        },
        room: await files.room(),
      });
      const excessEvents = limits.maxEvents === 0 ? 0 : index.count + streamLength - limits.maxEvents;
      const tooOldSegments = await this.#countTooOld();
      await this.#giveUp(
        planDrops(index.segments, { excessBytes: index.bytes - allowed, excessEvents, tooOldSegments }),
      );
    }
    metrics.archived.set(index.count);
    metrics.archiveBytes.set(index.bytes);
  }

  async #giveUp(drops: ReturnType<typeof planDrops>): Promise<void> {
    const { archive, log, metrics } = this.#options;
    for (const drop of drops) {
      await archive.giveUp(drop);
      metrics.dropped.add(drop.file.count, { reason: drop.reason });
      log.warn({ ...drop.file, reason: drop.reason }, 'archived events are given up');
    }
  }

  async #countTooOld(): Promise<number> {
    const { archive, clock, limits } = this.#options;
    if (limits.maxAgeHours === 0) return 0;
    let tooOld = 0;
    for (const [at, segment] of archive.index.segments.entries()) {
      const newest = await archive.newestOf(segment);
      const ageMs = newest === null ? null : provenAgeMs(newest, clock);
      if (ageMs !== null && ageMs > limits.maxAgeHours * HOUR_MS) tooOld = at + 1;
      else if (ageMs !== null || at >= AGE_SEARCH) break;
    }
    return tooOld;
  }

  /** Resolves with whether something was given up, so that the next try may find room. */
  async #makeRoom(thrown: unknown): Promise<boolean> {
    const { archive, slowest, sayGaps } = this.#options;
    const { code = '' } = thrown as NodeJS.ErrnoException;
    if (!['ENOSPC', 'EDQUOT'].includes(code)) return false;
    const drops = planDrops(archive.index.segments, {
      excessBytes: 2 * SEGMENT_BYTES,
      excessEvents: 0,
      tooOldSegments: 0,
    });
    try {
      await this.#giveUp(drops);
      await archive.tellGone(slowest(), sayGaps);
    } catch (cause) {
      this.#options.log.debug({ err: cause }, 'no room could be made');
      return false;
    }
    return drops.length > 0;
  }

  #tellSpilled(): void {
    const { archive, limits, saySpilled } = this.#options;
    const isSpilled = archive.index.count > 0;
    if (this.#isSpilled === undefined || isSpilled === this.#isSpilled) return;
    this.#isSpilled = isSpilled;
    if (isSpilled) {
      const why = `the events in Redis took more than ${limits.memoryMaxBytes} bytes, or reached another bound`;
      saySpilled({ state: 'begun', events: this.#moved, why });
      return;
    }
    saySpilled({ state: 'ended', events: this.#moved, why: 'all archived events were read or given up' });
    this.#moved = 0;
  }
}

function countOf({ files }: NewSegment): number {
  return [...files.values()].reduce((sum, { count }) => sum + count, 0);
}
