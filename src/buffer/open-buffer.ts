// The buffer put together: events in, numbered and durable; events out, checked; cursors, mark and figures besides.
import { randomInt } from 'node:crypto';
import type {
  AppendEvents,
  BufferDepth,
  BufferUsage,
  KeepConsumers,
  OpenConsumer,
  ReadEvents,
  RemoveConsumer,
} from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { BufferConfig } from '../contracts/config/buffer-config.ts';
import { type EventDraft, type EventId, START } from '../contracts/event.ts';
import type { EventData, EventType } from '../contracts/event-types.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { BufferMetrics } from '../contracts/metrics.ts';
import { Archive } from './archive/archive.ts';
import { type ArchiveFiles, archiveFiles } from './archive/archive-files.ts';
import { BufferHealth } from './buffer-health.ts';
import { BufferMark } from './buffer-mark.ts';
import { Consumers } from './consumers.ts';
import { Cursors } from './cursors.ts';
import { EventWriter } from './event-writer.ts';
import { countAfter } from './generation-ends.ts';
import { STATE } from './keys.ts';
import { later } from './later.ts';
import { loadArchive } from './loaded-archive.ts';
import { pause } from './pause.ts';
import { PeriodicCheck } from './periodic-check.ts';
import { createReader } from './read-events.ts';
import { RedisKeeper } from './redis-keeper.ts';
import { Spill } from './spill.ts';
import { TidyUp } from './tidy-up.ts';

/** Of the stop: for what waits to be stored; for the last cursors and the mark; for the files and sockets. */
const DRAIN_MS = 1_200;
const LAST_CURSORS_MS = 300;
const CLOSE_MS = 300;
const CHECK_EVERY_MS = 5_000;
const HOUR_MS = 3_600_000;

export interface OpenBufferOptions {
  readonly config: BufferConfig;
  readonly markFile: string;
  readonly archiveFolder: string;
  /** The event as the exact JSON that is stored and published; must not throw. */
  readonly seal: (draft: EventDraft, id: EventId) => string;
  readonly clock: Clock;
  readonly metrics: BufferMetrics;
  readonly log: Log;
  readonly report: ReportHealth;
  readonly traceparent: () => string;
  /** 0 <= n < below; for the name of a generation when the clock was never set. */
  readonly random?: (below: number) => number;
  /** Default: those of archiveFolder. */
  readonly archiveFiles?: ArchiveFiles;
  /** How often sizes, ages and consumers are looked at. */
  readonly checkEveryMs?: number;
}

export interface EventBuffer {
  readonly append: AppendEvents;
  /** Waits while Redis is away; rejects with `buffer.stopped` only. */
  readonly read: ReadEvents;
  readonly openConsumer: OpenConsumer;
  readonly removeConsumer: RemoveConsumer;
  readonly keepConsumers: KeepConsumers;
  /** Must resolve before an event up to `id` is published: the mark file says so then. Rejects with `buffer.stopped` only. */
  mayPublish(id: EventId): Promise<void>;
  /** The state hash as it is stored; waits for Redis. Rejects with `buffer.stopped` only. */
  readState(): Promise<Readonly<Record<string, string>>>;
  depth(): BufferDepth;
  usage(): BufferUsage;
  /** Called with the last id of every acknowledged batch; returns what ends it. */
  onAppended(listener: (lastId: EventId) => void): () => void;
  /** Stores what waits, if Redis takes it; at most 2 s. What is lost is logged. */
  stop(): Promise<void>;
}

/** Resolves at once: while Redis is away it says so, keeps events in memory and goes on trying. */
export async function openBuffer(options: OpenBufferOptions): Promise<EventBuffer> {
  const { clock, config, log, metrics, seal, traceparent } = options;
  const { random = (below: number) => randomInt(below) } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const listeners = new Set<(lastId: EventId) => void>();
  const health = new BufferHealth(options.report, log);
  const acknowledged = (): EventId => view.acknowledged ?? START;
  const mark = new BufferMark({ file: options.markFile, health, signal, acknowledged });

  const files = options.archiveFiles ?? archiveFiles(options.archiveFolder);
  const archive = new Archive({ files, log, onLost: (gap) => lost(gap) });
  const loaded = loadArchive(archive, options.archiveFolder, { health, signal });

  const writer = new EventWriter({
    fsync: config.fsync,
    ...{ batchEvents: config.batchEvents, memoryQueueEvents: config.memoryQueueEvents },
    ...{ mark, seal, traceparent, clock, random, metrics, health, log, signal },
    archiveKnown: loaded.tried,
    elsewhere: () => ({ archived: archive.index.last, read: cursors.furthest }),
    onAcknowledged: (lastId, bytes) => {
      metrics.depth.set(depth());
      if (loaded.isLoaded()) spill.appended(bytes);
      for (const listener of listeners) listener(lastId);
    },
  });
  const { view } = writer;
  const lost = (gap: EventData<'buffer.gap'>) => {
    metrics.dropped.add(gap.count, { reason: gap.reason });
    log.error(gap, 'stored events are damaged and not delivered');
    writer.say('buffer.gap', gap);
  };
  const say = async <T extends EventType>(type: T, data: readonly EventData<T>[]) =>
    (await writer.append(data.map((one) => writer.draft(type, one)))).length > 0;

  const cursors = new Cursors({ log, onMoved: (many) => (many ? void tidyUp.now() : tidyUp.soon()) });
  const keeper = new RedisKeeper({
    ...{ config, metrics, health, signal },
    prepare: async (link) => {
      await writer.prepare(link);
      await cursors.prepare(link);
      await consumers.prepare(link);
      tidyUp.soon();
    },
  });
  const tidyUp = new TidyUp({
    keeper,
    cursors,
    archive,
    view,
    keepEvents: config.keepEvents,
    health,
    signal,
  });
  const spill = new Spill({
    ...{ limits: config, archive, files, keeper, view, clock, metrics, health, log, signal },
    slowest: () => cursors.slowest,
    tidy: () => tidyUp.now(),
    saySpilled: (data) => writer.say('buffer.spilled', data),
    sayGaps: (gaps) => say('buffer.gap', gaps),
  });
  const read = createReader({
    ...{ keeper, readArchive: loaded.read, archiveEnd: () => archive.index.last },
    onDamaged: lost,
  });

  /** What is trimmed away is not waiting for anybody. */
  const countUnread = (position: EventId) =>
    archive.index.countAfter(position) +
    countAfter(later(position, later(view.floor, archive.index.last)), view.ends);
  const slowest = () => cursors.slowest ?? acknowledged();
  const depth = () => countUnread(slowest());

  const consumers = new Consumers({
    ...{ cursors, keeper, countAfter: countUnread },
    planned: () => writer.planned,
    last: acknowledged,
    say: (data) => say('buffer.cursor-expired', [data]),
    idleMaxMs: config.consumerIdleHours * HOUR_MS,
  });
  const check = new PeriodicCheck({
    ...{ keeper, consumers, clock, metrics, health, log, signal, depth },
    everyMs: options.checkEveryMs ?? CHECK_EVERY_MS,
    queued: () => writer.queued,
    checkBounds: async () => (loaded.isLoaded() ? spill.check() : undefined),
    readOldest: async () => (await read(slowest(), 1)).events[0],
  });

  const running = [keeper.run(), writer.run(keeper), check.run()];
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    await atMost(DRAIN_MS, writer.drain());
    await atMost(
      LAST_CURSORS_MS,
      Promise.all([tidyUp.now(), mark.noteStored(), check.writeIdle().catch(() => undefined)]),
    );
    ending.abort();
    await atMost(CLOSE_MS, Promise.all([...running, mark.close(), spill.idle()]));
    writer.giveUp();
  };

  return {
    append: writer.append,
    read,
    usage: () => ({
      streamBytes: spill.streamBytes,
      archiveBytes: archive.index.bytes,
      archivedEvents: archive.index.count,
      oldestAgeSeconds: check.oldestAgeSeconds,
    }),
    openConsumer: consumers.open,
    removeConsumer: consumers.remove,
    keepConsumers: consumers.keepOnly,
    async mayPublish(id) {
      await writer.planned;
      await mark.raise(id);
    },
    readState: () => keeper.repeat('read the state', (redis) => redis.hgetall(STATE)),
    depth: () => ({
      lastId: view.acknowledged === null || view.acknowledged.number === 0 ? null : view.acknowledged,
      depth: depth(),
      queued: writer.queued,
    }),
    onAppended(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const ending = new AbortController();
  await Promise.race([work, pause(ms, ending.signal)]);
  ending.abort();
}
