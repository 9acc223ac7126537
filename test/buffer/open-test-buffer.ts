// A buffer on a test Redis, with everything around it recorded, and stopped with the test.
import assert from 'node:assert/strict';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import type { ArchiveFiles } from '../../src/buffer/archive/archive-files.ts';
import { type EventBuffer, type OpenBufferOptions, openBuffer } from '../../src/buffer/open-buffer.ts';
import type { ConsumerOptions } from '../../src/contracts/buffer.ts';
import type { BufferConfig } from '../../src/contracts/config/buffer-config.ts';
import {
  type EventDraft,
  type EventId,
  formatEventId,
  START,
  type StoredEvent,
} from '../../src/contracts/event.ts';
import type { PartState } from '../../src/contracts/health.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { type RecordingMetrics, recordingMetrics } from '../support/recording-metrics.ts';
import { until } from '../support/until.ts';

export interface TestBuffer extends EventBuffer {
  readonly clock: FakeClock;
  readonly metrics: RecordingMetrics;
  readonly log: ReturnType<typeof recordingLog>;
  /** What was reported last. */
  readonly health: { state: PartState; why: string };
  /** All stored events, read through the buffer, without the note that a first start begins with (its number 1). */
  all(): Promise<readonly StoredEvent[]>;
  /** Of the last id; throws when there is none. */
  readonly generation: number;
  /** An id of that generation. */
  at(number: number): EventId;
}

export interface TestBufferOptions extends Partial<BufferConfig> {
  readonly redisSocket: string;
  readonly markFile?: string;
  readonly archiveFolder?: string;
  readonly archiveFiles?: ArchiveFiles;
  readonly clock?: FakeClock;
  readonly seal?: OpenBufferOptions['seal'];
  readonly random?: OpenBufferOptions['random'];
  readonly checkEveryMs?: number;
}

/** A consumer that gets everything, for as long as it takes. */
export const atStart: ConsumerOptions = { from: 'start', mayExpire: false };

export const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

export function testConfig(
  overrides: Partial<BufferConfig> & { readonly redisSocket: string },
): BufferConfig {
  return {
    fsync: 'always',
    memoryQueueEvents: 50_000,
    batchEvents: 256,
    keepEvents: 1_000,
    ...{
      memoryMaxBytes: 2 ** 40,
      archiveMaxBytes: 2 ** 40,
      archiveKeepFreeBytes: 0,
      maxAgeHours: 0,
      maxEvents: 0,
    },
    consumerIdleHours: 0,
    commandTimeoutMs: 1_000,
    ...overrides,
  };
}

export function sealForTest(draft: EventDraft, id: EventId): string {
  return JSON.stringify({
    specversion: '1.0',
    id: formatEventId(id),
    source: 'urn:autoweave:t:s:a',
    type: draft.type,
    subject: draft.subject,
    time: new Date(draft.observed.wallMs).toISOString(),
    clock: draft.observed.synced ? 'synced' : 'unsynced',
    bootid: fakeClock().bootId,
    uptimems: draft.observed.uptimeMs,
    data: draft.data,
  });
}

export async function openTestBuffer(
  t: Pick<TestContext, 'after'>,
  options: TestBufferOptions,
): Promise<TestBuffer> {
  const beside = path.dirname(options.redisSocket);
  const {
    markFile = path.join(beside, 'buffer-mark'),
    archiveFolder = path.join(beside, 'archive'),
    archiveFiles,
    ...rest
  } = options;
  const { checkEveryMs, clock = fakeClock(), random, seal = sealForTest, ...overrides } = rest;
  const [metrics, log] = [recordingMetrics(), recordingLog()];
  const health: TestBuffer['health'] = { state: 'unknown', why: '' };
  const buffer = await openBuffer({
    ...{ config: testConfig(overrides), markFile, archiveFolder, seal, clock, log },
    metrics: metrics.buffer,
    report: (state, why) => void Object.assign(health, { state, why }),
    traceparent: () => traceparent,
    ...(archiveFiles === undefined ? {} : { archiveFiles }),
    ...(checkEveryMs === undefined ? {} : { checkEveryMs }),
    ...(random === undefined ? {} : { random }),
  });
  t.after(() => buffer.stop());
  const all = async () => {
    const events: StoredEvent[] = [];
    for (let from = START; ; ) {
      const read = await buffer.read(from, 1_000);
      if (read.position === from) return events;
      events.push(...read.events.filter((event) => !isFirstNote(event)));
      from = read.position;
    }
  };
  const generation = () => {
    const { lastId } = buffer.depth();
    assert.ok(lastId !== null, 'nothing is stored yet');
    return lastId.generation;
  };
  const at = (number: number) => ({ generation: generation(), number });
  return {
    ...{ ...buffer, clock, metrics, log, health, all, at },
    get generation() {
      return generation();
    },
  };
}

function isFirstNote({ id, json, type }: StoredEvent): boolean {
  const { data } = JSON.parse(json) as { readonly data?: { readonly previousGeneration?: number } };
  return type === 'buffer.generation' && id.number === 1 && data?.previousGeneration === 0;
}

/** A draft that says which one it is. */
export function draft(n: number, clock: FakeClock = fakeClock(), type = 'system.stopping'): EventDraft {
  return { type, subject: 'test', observed: clock.now(), traceparent, data: { why: `n${n}` } };
}

export function drafts(count: number, from = 0): readonly EventDraft[] {
  return Array.from({ length: count }, (_, index) => draft(from + index));
}

/** Which drafts came out, in order: n0, n1 … and the types of the buffer's own. */
export function namesOf(events: readonly StoredEvent[]): readonly string[] {
  return events.map(
    ({ json, type }) =>
      (JSON.parse(json) as { data: { why?: string } }).data.why?.match(/^n\d+$/)?.[0] ?? type,
  );
}

export function idsOf(events: readonly StoredEvent[]): readonly string[] {
  return events.map(({ id }) => formatEventId(id));
}

/** May do what the appliance's own user may not. Closed with the test. */
export function adminClient(t: Pick<TestContext, 'after'>, socket: string): Redis {
  return client(t, { path: socket, username: 'admin', password: 'any' });
}

export interface ClientOptions {
  readonly path: string;
  readonly username?: string;
  readonly password?: string;
}

/** A plain connection, without a user as the appliance's own. Closed with the test. */
export function client(t: Pick<TestContext, 'after'>, options: ClientOptions): Redis {
  const redis = new Redis({ ...options, protocol: 2, disableClientInfo: true, disconnectTimeout: 10 });
  t.after(() => redis.disconnect());
  return redis;
}

export async function untilHealth(buffer: TestBuffer, state: PartState, why = /./): Promise<void> {
  const { health } = buffer;
  try {
    await until(`health ${state} ${why}`, () => health.state === state && why.test(health.why));
  } catch (thrown) {
    throw new Error(`it is ${health.state}: ${health.why}`, { cause: thrown });
  }
}
