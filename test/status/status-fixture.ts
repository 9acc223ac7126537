// A status server on a free port, over a buffer that is kept in memory.
import { type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { StatusConfig } from '../../src/contracts/config/status-config.ts';
import { compareEventIds, type EventId, type StoredEvent } from '../../src/contracts/event.ts';
import type { HealthReport } from '../../src/contracts/health.ts';
import { startStatus } from '../../src/status/start-status.ts';
import type { StatusOptions } from '../../src/status/status-options.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { idleControl } from './idle-control.ts';

export interface MemoryBuffer extends Pick<StatusOptions, 'read' | 'lastId' | 'onAppended'> {
  /** Appends `count` events that follow the last one. */
  append(count: number, options?: { readonly padding?: number; readonly generation?: number }): void;
  /** Forgets all but the newest `keep`. */
  trim(keep: number): void;
  readonly reads: { count: number; failWith: Error | null };
  readonly listeners: ReadonlySet<unknown>;
}

export function memoryBuffer(): MemoryBuffer {
  const events: StoredEvent[] = [];
  let last: EventId | null = null;
  const listeners = new Set<(lastId: EventId) => void>();
  const reads: MemoryBuffer['reads'] = { count: 0, failWith: null };
  return {
    reads,
    listeners,
    append(count, { padding = 0, generation } = {}) {
      for (let n = 0; n < count; n++) {
        const wanted: number = generation ?? last?.generation ?? 1;
        const id: EventId = {
          generation: wanted,
          number: last?.generation === wanted ? last.number + 1 : 1,
        };
        const key = `${id.generation}-${id.number}`;
        const json = JSON.stringify({
          id: key,
          type: 'usb.device.added',
          subject: 'usb/1-1',
          pad: 'x'.repeat(padding),
        });
        events.push({ id, type: 'usb.device.added', json });
        last = id;
      }
      if (last !== null) for (const listener of listeners) listener(last);
    },
    trim: (keep) => void events.splice(0, events.length - keep),
    lastId: () => last,
    async read(from, count) {
      reads.count += 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (reads.failWith !== null) throw reads.failWith;
      const start = events.findIndex(({ id }) => compareEventIds(id, from) > 0);
      const found = start === -1 ? [] : events.slice(start, start + count);
      return { events: found, position: found.at(-1)?.id ?? from };
    },
    onAppended(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

export const healthy: HealthReport = {
  state: 'ok',
  simulated: true,
  parts: {
    usb: { state: 'ok', why: 'watching', since: '2026-01-01T00:00:00.000Z', ageSeconds: 1, clock: 'synced' },
    redis: { state: 'ok', why: 'answers', since: '2026-01-01T00:00:00.000Z', ageSeconds: 0, clock: 'synced' },
  },
};

export async function startFixture(
  t: Pick<TestContext, 'after'>,
  changes: Partial<StatusOptions> & { readonly status?: Partial<StatusConfig> } = {},
) {
  const buffer = memoryBuffer();
  const metrics = recordingMetrics();
  const log = recordingLog();
  const clock = fakeClock();
  const reports: (readonly [string, string])[] = [];
  const { status, ...options } = changes;
  const server = await startStatus({
    config: {
      listen: '127.0.0.1',
      port: 0,
      requestsPerSecond: 1_000,
      sseClients: 4,
      public: 'all',
      tls: false,
      announce: false,
      ...status,
    },
    clock,
    metrics: metrics.status,
    log,
    report: (...said) => void reports.push(said),
    health: () => healthy,
    isReady: () => true,
    devices: () => [],
    ports: () => [],
    simulated: true,
    version: '1.2.3',
    appliance: { tenant: 'acme', site: 'plant', name: 'edge-1' },
    metricsText: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'autoweave_x 1\n' }),
    read: buffer.read,
    lastId: buffer.lastId,
    onAppended: buffer.onAppended,
    depth: () => ({ lastId: buffer.lastId(), depth: 3, queued: 1 }),
    control: idleControl,
    users: { read: async () => null, write: async () => undefined },
    auditDir: path.join(await tempDir(t), 'audit'),
    onClaimCode: () => undefined,
    tls: null,
    ...options,
  });
  t.after(() => server.stop());
  return { server, buffer, metrics, log, clock, reports };
}

/** Until nothing is read any more for a listener whose socket is full. */
export async function untilStalled(port: number, { reads }: Pick<MemoryBuffer, 'reads'>): Promise<void> {
  await until('the stream to wait for the socket', async () => {
    const before = reads.count;
    await ask(port, '/ready');
    await ask(port, '/ready');
    return before === reads.count && before > 0;
  });
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One request on a connection of its own; `Host` can be chosen, which fetch() does not allow. */
export function ask(
  port: number,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    /** Another of 127.0.0.0/8: a client of its own to the server. */
    readonly localAddress?: string;
  } = {},
): Promise<Reply> {
  return askBytes(port, path, options).then((reply) => ({ ...reply, body: reply.body.toString() }));
}

export function askBytes(
  port: number,
  path: string,
  options: Parameters<typeof ask>[2] = {},
): Promise<Omit<Reply, 'body'> & { readonly body: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof askBytes>>>();
  const { body, ...rest } = options;
  const sent = request({ host: '127.0.0.1', port, path, agent: false, ...rest }, (response) => {
    buffer(response).then(
      (received) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }),
      reject,
    );
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}
