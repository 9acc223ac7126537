// The buffer put together: events in, numbered and durable; events out, checked; cursors, mark and figures besides.
import { randomInt } from 'node:crypto';
import type {
  AppendEvents,
  BufferDepth,
  BufferUsage,
  OpenConsumer,
  ReadEvents,
  RemoveConsumer,
} from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { BufferConfig } from '../contracts/config.ts';
import { compareEventIds, type EventDraft, type EventId, START } from '../contracts/event.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { BufferMetrics } from '../contracts/metrics.ts';
import { BufferHealth } from './buffer-health.ts';
import { BufferMark } from './buffer-mark.ts';
import { Consumers } from './consumers.ts';
import { Cursors } from './cursors.ts';
import { EventWriter } from './event-writer.ts';
import { countAfter } from './generation-ends.ts';
import { STATE } from './keys.ts';
import { pause } from './pause.ts';
import { PeriodicCheck } from './periodic-check.ts';
import { createReader } from './read-events.ts';
import { RedisKeeper } from './redis-keeper.ts';
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
  /** The event as the exact JSON that is stored and published; must not throw. */
  readonly seal: (draft: EventDraft, id: EventId) => string;
  readonly clock: Clock;
  readonly metrics: BufferMetrics;
  readonly log: Log;
  readonly report: ReportHealth;
  readonly traceparent: () => string;
  /** 0 <= n < below; for the name of a generation when the clock was never set. */
  readonly random?: (below: number) => number;
  /** How often sizes, ages and consumers are looked at. */
  readonly checkEveryMs?: number;
}

export interface EventBuffer {
  readonly append: AppendEvents;
  /** Waits while Redis is away; rejects with `buffer.stopped` only. */
  readonly read: ReadEvents;
  readonly openConsumer: OpenConsumer;
  readonly removeConsumer: RemoveConsumer;
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

  const writer = new EventWriter({
    ...{ batchEvents: config.batchEvents, memoryQueueEvents: config.memoryQueueEvents },
    ...{ mark, seal, traceparent, clock, random, metrics, health, log, signal },
    onAcknowledged: (lastId) => {
      metrics.depth.set(depth());
      for (const listener of listeners) listener(lastId);
    },
  });
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
  const { view } = writer;
  const tidyUp = new TidyUp({ keeper, cursors, view, keepEvents: config.keepEvents, health, signal });
  const read = createReader(keeper, (gap) => {
    metrics.dropped.add(gap.count, { reason: 'damaged-entry' });
    log.error(gap, 'stored events are damaged and not delivered');
    writer.say('buffer.gap', gap);
  });

  /** Where the slowest consumer really stands: what is trimmed away is not waiting for it. */
  const slowest = (): EventId => {
    const position = cursors.slowest ?? view.acknowledged ?? START;
    return later(position, view.floor);
  };
  const depth = () => countAfter(slowest(), view.ends);

  const consumers = new Consumers({
    ...{ cursors, keeper, countAfter: (id) => countAfter(later(id, view.floor), view.ends) },
    planned: () => writer.planned,
    last: acknowledged,
    say: async (data) => (await writer.append([writer.draft('buffer.cursor-expired', data)])).length > 0,
    idleMaxMs: config.consumerIdleHours * HOUR_MS,
  });

  const check = new PeriodicCheck({
    ...{ keeper, consumers, clock, metrics, health, log, signal, depth, slowest },
    queued: () => writer.queued,
    everyMs: options.checkEveryMs ?? CHECK_EVERY_MS,
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
    await atMost(CLOSE_MS, Promise.all([...running, mark.close()]));
    writer.giveUp();
  };

  return {
    append: writer.append,
    read,
    usage: () => ({ ...check.usage, archiveBytes: 0, archivedEvents: 0 }),
    openConsumer: consumers.open,
    removeConsumer: consumers.remove,
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

function later(a: EventId, b: EventId): EventId {
  return compareEventIds(a, b) < 0 ? b : a;
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const ending = new AbortController();
  await Promise.race([work, pause(ms, ending.signal)]);
  ending.abort();
}
