// The buffer's events -> server-sent events, one stream for each listener, each at its own pace.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReadEvents } from '../contracts/buffer.ts';
import { type EventId, formatEventId, START } from '../contracts/event.ts';
import type { Log } from '../contracts/log.ts';
import type { StatusMetrics } from '../contracts/metrics.ts';
import { errorText } from '../lib/error-text.ts';
import type { AddressPlaces } from './address-places.ts';
import { secureHeaders } from './answer.ts';
import { createDeviceFeed } from './device-feed.ts';
import { createSharedReads, type EventBatch } from './shared-reads.ts';
import type { StatusLimits } from './status-limits.ts';
import {
  drained,
  newClient,
  nextText,
  placeAt,
  type StreamClient,
  sleep,
  tellAway,
  wake,
} from './stream-client.ts';
import type { StreamAsked } from './stream-position.ts';

const BATCH = 50;
const RETRY_READ_MS = 2_000;
/** Events of one append at most: where the start is unknown a listener rather sees a few old ones than misses one. */
const UNKNOWN_START = 256;

export interface EventStreamsOptions {
  readonly read: ReadEvents;
  readonly lastId: () => EventId | null;
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  readonly places: AddressPlaces;
  readonly limits: Pick<StatusLimits, 'heartbeatMs' | 'bufferAwayMs'>;
  readonly metrics: StatusMetrics;
  readonly devicesAnswer: () => unknown;
  readonly log: Log;
}

export interface EventStreams {
  /** Answers the request with a stream, or says why it has no place; the request is unanswered then. */
  open(
    request: IncomingMessage,
    response: ServerResponse,
    asked: {
      readonly query: URLSearchParams;
      /** Of the client, which may sit behind a proxy. */
      readonly address: string;
      readonly mayStill: () => boolean;
    },
  ): 'opened' | 'full' | 'share-used-up';
  devicesChanged(): void;
  stop(): void;
}

/**
 * INVARIANTS
 * - A listener holds one batch and one device list at most: the next is made when its socket has taken the last one. A
 *   slow listener costs no memory and holds up nobody; where the buffer was trimmed meanwhile it is told of the gap.
 * - Listeners at the same place share one read, which is pending for as long as Redis is away. One that leaves meanwhile
 *   leaves nothing behind.
 * - Whoever was logged out, removed or lowered meanwhile gets no further event: each batch asks, and the heartbeat ends it.
 */
export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { lastId, limits, log, metrics, places } = options;
  const clients = new Set<StreamClient>();
  const reads = createSharedReads(options.read, { count: BATCH });

  const feed = createDeviceFeed({
    document: options.devicesAnswer,
    nowMs: () => performance.now(),
    push(text) {
      let made: string | undefined;
      for (const client of clients) {
        if (!client.devices) continue;
        if (!client.mayStill()) {
          dismiss(client);
          continue;
        }
        client.missesDevices = client.response.writableNeedDrain;
        if (client.missesDevices) continue;
        made ??= text();
        client.response.write(made);
      }
    },
  });

  /** The list that found the socket full, as it is by now. */
  const catchUp = (client: StreamClient) => {
    if (!client.missesDevices) return;
    if (!client.mayStill()) return dismiss(client);
    client.missesDevices = false;
    client.response.write(feed.text());
  };

  const wakeAll = (appended: EventId) => {
    for (const client of clients) {
      placeAt(client, appended, UNKNOWN_START);
      wake(client);
    }
  };
  const unsubscribe = options.onAppended(wakeAll);
  const heartbeat = setInterval(() => {
    for (const client of clients) {
      if (!client.mayStill()) {
        dismiss(client);
        continue;
      }
      if (!client.response.writableNeedDrain) client.response.write(':\n\n');
      // A look at the buffer, at which a listener that waits for events learns that there can be none.
      wake(client);
    }
  }, limits.heartbeatMs);
  heartbeat.unref();

  const remove = (client: StreamClient) => {
    if (!clients.delete(client)) return;
    client.givePlaceBack();
    metrics.sseClients.set(clients.size);
    wake(client);
    client.leave?.();
  };

  const dismiss = (client: StreamClient) => {
    remove(client);
    client.response.end();
  };

  /** What follows `from`, however long that takes; null when the listener left. Rejects as the read does. */
  const batchAfter = async (client: StreamClient, from: EventId): Promise<EventBatch | null> => {
    const { promise, resolve, reject } = Promise.withResolvers<EventBatch | null>();
    const abandon = reads.join(from, resolve, reject);
    client.leave = () => resolve(null);
    const seconds = limits.bufferAwayMs / 1_000;
    const late = setTimeout(
      () => tellAway(client, `it has not answered for ${seconds} s`),
      limits.bufferAwayMs,
    );
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      abandon();
      client.leave = null;
    }
  };

  const pump = async (client: StreamClient): Promise<void> => {
    const { response } = client;
    while (clients.has(client)) {
      client.woken = false;
      const from = client.position;
      let batch: EventBatch | null;
      try {
        batch = await batchAfter(client, from ?? START);
      } catch (cause) {
        log.debug({ err: cause }, 'the event stream could not read the buffer');
        tellAway(client, errorText(cause));
        await sleep(client, RETRY_READ_MS);
        continue;
      }
      if (batch === null) return;
      client.away = false;
      if (from === null) {
        // The buffer has answered, so it knows its last event, unless it is empty.
        const last = lastId();
        if (last === null) await sleep(client, null);
        else placeAt(client, last, UNKNOWN_START);
        continue;
      }
      if (!client.mayStill()) return dismiss(client);
      client.position = batch.position;
      const text = batch.events.map((event) => nextText(client, event)).join('');
      if (text !== '' && !response.write(text)) await drained(response);
      const atEnd = batch.events.length === 0 && formatEventId(batch.position) === formatEventId(from);
      if (atEnd) await sleep(client, null);
    }
  };

  return {
    open(request, response, { address, mayStill, query }) {
      const given = places.take(address);
      if (typeof given === 'string') return given;
      const client = newClient(response, askedIn(request, query), {
        ...{ unnamed: query.has('unnamed'), devices: query.has('devices'), givePlaceBack: given, mayStill },
      });
      clients.add(client);
      metrics.sseClients.set(clients.size);
      response.once('close', () => remove(client));
      response.on('drain', () => catchUp(client));
      response.writeHead(200, {
        ...secureHeaders,
        'Content-Type': 'text/event-stream; charset=utf-8',
        // Proxies would hold the events back.
        'X-Accel-Buffering': 'no',
      });
      response.write('retry: 2000\n\n');
      if (client.devices) response.write(feed.text());
      const last = lastId();
      if (last !== null) placeAt(client, last);
      pump(client).catch((cause: unknown) => {
        log.error({ err: cause }, 'an event stream ended by an error of its own');
        response.destroy();
      });
      return 'opened';
    },

    devicesChanged: () => feed.changed(),

    stop() {
      feed.stop();
      unsubscribe();
      clearInterval(heartbeat);
      for (const client of [...clients]) dismiss(client);
    },
  };
}

function askedIn(request: IncomingMessage, query: URLSearchParams): StreamAsked {
  const header = request.headers['last-event-id'];
  return {
    lastEventId: (typeof header === 'string' ? header : null) ?? query.get('lastEventId'),
    last: query.get('last'),
  };
}
