// The single producer: numbers drafts, stores them batch by batch, and decides after every reconnect what was stored.
// Longer than most files: all of it turns around the one batch that is on its way.

import type { AppendEvents, StatePatch } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { BufferConfig } from '../contracts/config/buffer-config.ts';
import { type EventDraft, type EventId, START } from '../contracts/event.ts';
import type { EventData, EventType } from '../contracts/event-types.ts';
import type { Log } from '../contracts/log.ts';
import type { BufferMetrics } from '../contracts/metrics.ts';
import { AppError } from '../lib/app-error.ts';
import { type Batch, countDrafts, findUnstored, formBatch, idsOfCalls, storeBatch } from './batch.ts';
import { isBufferError } from './buffer-error.ts';
import type { BufferHealth } from './buffer-health.ts';
import type { BufferMark } from './buffer-mark.ts';
import { type Durability, readDurability } from './durability.ts';
import { MemoryQueue } from './memory-queue.ts';
import { pause } from './pause.ts';
import { planGeneration } from './plan-generation.ts';
import type { RedisKeeper } from './redis-keeper.ts';
import type { RedisLink } from './redis-link.ts';
import { toTrouble } from './redis-trouble.ts';
import { readStoreTail, type StoreTail } from './store-tail.ts';
import { StoreView } from './store-view.ts';

/** How long the writer leaves a Redis alone that refused a batch. */
const REFUSED_PAUSE_MS = 250;

/** Of what waits, and of one transaction: the daemon's heap has room for 50,000 ordinary events, and for this much of any kind. */
const QUEUE_BYTES = 67_108_864;
const BATCH_BYTES = 4_194_304;

export interface EventWriterOptions {
  readonly batchEvents: number;
  readonly memoryQueueEvents: number;
  readonly mark: BufferMark;
  readonly seal: (draft: EventDraft, id: EventId) => string;
  readonly traceparent: () => string;
  readonly clock: Clock;
  readonly random: (below: number) => number;
  readonly metrics: BufferMetrics;
  readonly health: BufferHealth;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** `bytes` of JSON that the batch had. */
  readonly onAcknowledged: (lastId: EventId, bytes: number) => void;
  /** What the configuration wants Redis to do. */
  readonly fsync: BufferConfig['fsync'];
  /** Resolves once the archive has been looked at, or could not be. */
  readonly archiveKnown: Promise<void>;
  /** What is known of ids outside the stream. */
  readonly elsewhere: () => { readonly archived: EventId; readonly read: EventId };
}

/**
 * INVARIANTS
 * - One batch is on its way at a time: ids in the stream are consecutive, and nothing overtakes a refused batch.
 * - A batch keeps its ids until the store has said that it does not hold them.
 * - A new generation repeats the whole state: the store that made it necessary may have lost that too.
 */
export class EventWriter {
  readonly view = new StoreView();
  readonly #options: EventWriterOptions;
  readonly #queue: MemoryQueue;
  readonly #planned = Promise.withResolvers<void>();
  /** What the store said when the connection was new; used once, it ages with the first append. */
  readonly #tails = new WeakMap<RedisLink, StoreTail>();
  #durability: Durability | undefined;
  #next: EventId = START;
  #current: Batch | null = null;
  /** Made while the current one is on its way, when a whole one waits. */
  #following: Batch | null = null;
  #wake: (() => void) | undefined;
  #idle: (() => void) | undefined;
  #refused = false;
  #stopping = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    const limits = { events: options.memoryQueueEvents, bytes: QUEUE_BYTES };
    this.#queue = new MemoryQueue(limits, (count) => {
      options.metrics.dropped.add(count, { reason: 'memory-queue-full' });
      const why = `Redis takes no events, and the memory queue is full (${limits.events} events or ${limits.bytes} bytes): the oldest are dropped, a buffer.gap will say which`;
      options.health.say('memory-queue', 'degraded', why);
    });
    // A rejection is for those who wait; without any it is none.
    this.#planned.promise.catch(() => undefined);
  }

  readonly append: AppendEvents = (drafts, state = {}) =>
    new Promise((resolve) => {
      const isNothing = drafts.length === 0 && Object.keys(state).length === 0;
      if (isNothing || this.#stopping) {
        if (drafts.length > 0) this.#lose(drafts.length, 'they came after the buffer was told to stop');
        return resolve([]);
      }
      this.#queue.push({ drafts, state, resolve });
      this.#options.metrics.queued.set(this.queued);
      this.#wake?.();
    });

  /** An event of the buffer's own. */
  say<T extends EventType>(type: T, data: EventData<T>): void {
    void this.append([this.draft(type, data)]);
  }

  /** Resolves once ids are given: the mark was read and the store was reached. Rejects with `buffer.stopped`. */
  get planned(): Promise<void> {
    return this.#planned.promise;
  }

  /** Events that no acknowledgement is known of. */
  get queued(): number {
    return this.#queue.size + (this.#current?.entries.length ?? 0) + (this.#following?.entries.length ?? 0);
  }

  /** On every new connection, before anybody uses it. */
  async prepare(link: RedisLink): Promise<void> {
    this.#durability = await readDurability(link, this.#options.fsync);
    this.#tails.set(link, await readStoreTail(link));
  }

  /** Stores what comes until the signal aborts. */
  async run(keeper: RedisKeeper): Promise<void> {
    try {
      await this.#options.mark.load();
      await this.#options.archiveKnown;
      for (;;) await this.#serve(await keeper.link(), keeper);
    } catch (thrown) {
      this.#planned.reject(thrown);
      if (!isBufferError(thrown, 'buffer.stopped')) throw thrown;
    }
  }

  /** Takes nothing more; resolves once everything is stored, which may be never. */
  drain(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#tellIfIdle();
    });
  }

  /** After the end of run(): says what never was acknowledged. */
  giveUp(): void {
    const waiting = this.#queue.take({ events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY });
    const begun = [this.#current, this.#following].flatMap((batch) => batch?.work.calls ?? []);
    const calls = [...begun, ...waiting.calls];
    const sent = this.#current?.entries.length ?? 0;
    const lost = calls.reduce((count, call) => count + call.drafts.length, waiting.gap?.count ?? 0);
    if (lost > 0)
      this.#lose(lost, `Redis did not acknowledge them before the stop; ${sent} were sent and may be stored`);
    for (const call of calls) call.resolve([]);
  }

  async #serve(link: RedisLink, keeper: Pick<RedisKeeper, 'settle'>): Promise<void> {
    const { signal } = this.#options;
    link.onLost(() => this.#wake?.());
    try {
      if (this.#current !== null) await this.#settle(link, keeper);
      await this.#plan(link);
      if (link.isOpen) this.#sayWorking('Redis answers');
      while (link.isOpen) {
        this.#current ??= this.#takeBatch(this.#next);
        if (this.#current === null) await this.#work();
        else if (!(await this.#store(link, this.#current))) await pause(REFUSED_PAUSE_MS, signal);
      }
    } catch (thrown) {
      if (!(thrown instanceof AppError) || isBufferError(thrown, 'buffer.stopped')) throw thrown;
      // The next connection is asked what of it is stored. (Closed already unless Redis said something unexpected.)
      link.close(thrown);
    }
  }

  /** A batch whose reply never came may be found stored, which counts only once it is on the disk. */
  async #settle(link: RedisLink, keeper: Pick<RedisKeeper, 'settle'>): Promise<void> {
    const { health, signal } = this.#options;
    for (;;) {
      const refusal = await keeper.settle(link);
      if (refusal === null) return;
      const { state, why } = toTrouble(refusal);
      health.say('redis', state, why);
      await pause(REFUSED_PAUSE_MS, signal);
    }
  }

  /** Decides with which id it goes on, and what becomes of the batch whose reply never came. */
  async #plan(link: RedisLink): Promise<void> {
    const { clock, mark, metrics, random } = this.#options;
    const tail = this.#tails.get(link);
    if (tail === undefined) throw new TypeError('a connection was handed out that was not prepared');
    this.#tails.delete(link);
    const current = this.#current;
    let work = current === null ? null : await findUnstored(link, current, tail.last);
    if (current !== null) {
      if (work === null) {
        this.#acknowledge(current);
        work = this.#current?.work ?? null;
      } else metrics.appended.add(current.entries.length - countDrafts(work));
    }

    const { acknowledged } = this.view;
    const { wallMs } = clock.now();
    const known = { mark: mark.known, last: tail.last, acknowledged, ...this.#options.elsewhere() };
    const plan = planGeneration({ ...known, wallMs, random });
    if (plan.isNew) {
      // What this run has acknowledged of the old generation may be published without a look at the mark from here on.
      if (acknowledged !== null) await mark.raise(acknowledged);
      await mark.begin(plan.next.generation);
    }
    const { state } = this.view;
    this.view.see(tail);
    this.#next = plan.next;

    if (plan.note !== null) {
      this.#options.log.warn(plan.note, 'a new generation of event ids begins');
      work = {
        lead: [this.draft('buffer.generation', plan.note), ...(work?.lead ?? []).filter(isNoGeneration)],
        calls: work?.calls ?? [],
        patch: acknowledged === null ? (work?.patch ?? {}) : { ...state, ...work?.patch },
        replacesState: acknowledged !== null,
      };
    }
    const { seal } = this.#options;
    this.#current = work === null ? null : formBatch(work, this.#next, seal);
    const after = this.#current === null ? this.#next : idAfter(this.#current);
    if (this.#following !== null) this.#following = formBatch(this.#following.work, after, seal);
    this.#planned.resolve();
  }

  #takeBatch(first: EventId): Batch | null {
    if (this.#queue.isEmpty) return null;
    const { calls, gap, gapState } = this.#queue.take({
      events: this.#options.batchEvents,
      bytes: BATCH_BYTES,
    });
    const lead = gap === null ? [] : [this.draft('buffer.gap', { reason: 'memory-queue-full', ...gap })];
    const patch = Object.assign({}, gapState, ...calls.map((call) => call.state)) as StatePatch;
    return formBatch({ lead, calls, patch, replacesState: false }, first, this.#options.seal);
  }

  /** false: Redis refused it, and surely stored nothing. */
  async #store(link: RedisLink, batch: Batch): Promise<boolean> {
    const { clock, health, metrics } = this.#options;
    const since = clock.uptimeMs();
    try {
      const stored = storeBatch(link, batch);
      if (this.#queue.size >= this.#options.batchEvents) this.#following ??= this.#takeBatch(idAfter(batch));
      await stored;
    } catch (thrown) {
      if (!isBufferError(thrown, 'buffer.redis-refused')) throw thrown;
      this.#refused = true;
      const { state, why } = toTrouble(thrown);
      health.say('redis', state, why);
      return false;
    }
    metrics.appendDuration.observe((clock.uptimeMs() - since) / 1_000);
    this.#acknowledge(batch);
    return true;
  }

  #acknowledge(batch: Batch): void {
    const { clock, health, metrics } = this.#options;
    this.#current = this.#following;
    this.#following = null;
    this.view.stored(batch);
    this.#next = idAfter(batch);
    if (this.#refused) {
      this.#refused = false;
      this.#sayWorking('Redis takes events again');
    }
    if (batch.work.lead.some(({ type }) => type === 'buffer.gap'))
      health.say('memory-queue', 'ok', 'the memory queue has room; what it dropped is told by a buffer.gap');
    const uptimeMs = clock.uptimeMs();
    for (const { draft } of batch.entries)
      metrics.eventLatency.observe((uptimeMs - draft.observed.uptimeMs) / 1_000);
    metrics.appended.add(batch.entries.length);
    metrics.queued.set(this.queued);
    const ids = idsOfCalls(batch);
    for (const [index, call] of batch.work.calls.entries()) call.resolve(ids[index] ?? []);
    if (batch.entries.length > 0) {
      this.#options.mark.appended();
      this.#options.onAcknowledged(batch.last, bytesOf(batch));
    }
    this.#tellIfIdle();
  }

  #sayWorking(what: string): void {
    const { state, why } = this.#durability ?? { state: 'unknown', why: 'what that is worth is unknown' };
    this.#options.health.say('redis', state, `${what}; ${why}`);
  }

  /** Resolves with the next append, or when the connection is lost. */
  #work(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #tellIfIdle(): void {
    if (this.#current === null && this.#queue.isEmpty) this.#idle?.();
  }

  /** Of an event of the buffer's own. */
  draft<T extends EventType>(type: T, data: EventData<T>): EventDraft {
    const { clock, traceparent } = this.#options;
    return { type, subject: 'buffer', observed: clock.now(), traceparent: traceparent(), data };
  }

  #lose(count: number, why: string): void {
    this.#options.metrics.dropped.add(count, { reason: 'stopped' });
    this.#options.log.error({ count }, `${count} events are lost: ${why}`);
  }
}

function bytesOf({ entries }: Batch): number {
  return entries.reduce((bytes, { fields }) => bytes + (fields[1]?.length ?? 0), 0);
}

function idAfter({ last }: Batch): EventId {
  return { ...last, number: last.number + 1 };
}

function isNoGeneration({ type }: EventDraft): boolean {
  return type !== 'buffer.generation';
}
