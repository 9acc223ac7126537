// The buffer's events -> server-sent events, one stream for each listener, each at its own pace.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReadEvents } from '../contracts/buffer.ts';
import { type EventId, formatEventId, type StoredEvent } from '../contracts/event.ts';
import type { Log } from '../contracts/log.ts';
import type { StatusMetrics } from '../contracts/metrics.ts';
import { secureHeaders } from './answer.ts';
import { gapBetween, type StreamStart, streamStart } from './stream-position.ts';
import { bufferAway, eventText, noticeText } from './stream-text.ts';

const BATCH = 50;
const HEARTBEAT_MS = 15_000;
const RETRY_READ_MS = 2_000;
/** Events of one append at most: where the start is unknown a listener rather sees a few old ones than misses one. */
const UNKNOWN_START = 256;

export interface EventStreamsOptions {
  readonly read: ReadEvents;
  readonly lastId: () => EventId | null;
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  readonly maxClients: number;
  readonly metrics: StatusMetrics;
  readonly log: Log;
}

export interface EventStreams {
  readonly full: () => boolean;
  open(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void;
  stop(): void;
}

interface Client {
  readonly response: ServerResponse;
  /** Without `event:` fields: an EventSource gets every type with one listener. */
  readonly unnamed: boolean;
  /** Last entry read; null until somebody knows where "now" is. */
  position: EventId | null;
  /** Last event sent, from which the next must follow; null where it need not. */
  sent: EventId | null;
  woken: boolean;
  wake: (() => void) | null;
  away: boolean;
}

/**
 * INVARIANTS
 * - A listener holds one batch at most: the next is read when its socket has taken the last one. A slow listener costs
 *   no memory and holds up nobody; where the buffer was trimmed meanwhile it is told of the gap.
 * - Listeners at the same place share one read.
 */
export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { lastId, log, maxClients, metrics } = options;
  const clients = new Set<Client>();
  const read = shareReads(options.read);

  const wakeAll = (appended: EventId) => {
    for (const client of clients) {
      client.position ??= {
        generation: appended.generation,
        number: Math.max(0, appended.number - UNKNOWN_START),
      };
      wake(client);
    }
  };
  const unsubscribe = options.onAppended(wakeAll);
  const heartbeat = setInterval(() => {
    for (const { response } of clients) if (!response.writableNeedDrain) response.write(':\n\n');
  }, HEARTBEAT_MS);
  heartbeat.unref();

  const remove = (client: Client) => {
    if (!clients.delete(client)) return;
    metrics.sseClients.set(clients.size);
    wake(client);
  };

  const pump = async (client: Client): Promise<void> => {
    const { response } = client;
    while (clients.has(client)) {
      client.woken = false;
      const from = client.position;
      if (from === null) {
        await sleep(client, null);
        continue;
      }
      let batch: Awaited<ReturnType<ReadEvents>>;
      try {
        batch = await read(from, BATCH);
      } catch (cause) {
        log.debug({ err: cause }, 'the event stream could not read the buffer');
        if (!client.away) response.write(noticeText(bufferAway(cause)));
        client.away = true;
        await sleep(client, RETRY_READ_MS);
        continue;
      }
      if (!clients.has(client)) return;
      client.away = false;
      client.position = batch.position;
      const text = batch.events.map((event) => nextText(client, event)).join('');
      if (text !== '' && !response.write(text)) await drained(response);
      const atEnd = batch.events.length === 0 && formatEventId(batch.position) === formatEventId(from);
      if (atEnd) await sleep(client, null);
    }
  };

  return {
    full: () => clients.size >= maxClients,

    open(request, response, query) {
      const header = request.headers['last-event-id'];
      const start = streamStart(
        {
          lastEventId: (typeof header === 'string' ? header : null) ?? query.get('lastEventId'),
          last: query.get('last'),
        },
        lastId(),
      );
      const client = newClient(response, query.has('unnamed'), start);
      clients.add(client);
      metrics.sseClients.set(clients.size);
      response.once('close', () => remove(client));
      response.writeHead(200, {
        ...secureHeaders,
        'Content-Type': 'text/event-stream; charset=utf-8',
        // Proxies would hold the events back.
        'X-Accel-Buffering': 'no',
      });
      response.write(`retry: 2000\n\n${start.notice === null ? '' : noticeText(start.notice)}`);
      pump(client).catch((cause: unknown) => {
        log.error({ err: cause }, 'an event stream ended by an error of its own');
        response.destroy();
      });
    },

    stop() {
      unsubscribe();
      clearInterval(heartbeat);
      for (const client of [...clients]) {
        remove(client);
        client.response.end();
      }
    },
  };
}

function newClient(response: ServerResponse, unnamed: boolean, { from, mayJump }: StreamStart): Client {
  return {
    response,
    unnamed,
    position: from,
    sent: mayJump ? null : from,
    woken: false,
    wake: null,
    away: false,
  };
}

function wake(client: Client): void {
  client.woken = true;
  client.wake?.();
}

/** Until the next append (one that came since the last look counts), or for `limitMs`. */
async function sleep(client: Client, limitMs: number | null): Promise<void> {
  if (client.woken) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  client.wake = resolve;
  const timer = limitMs === null ? undefined : setTimeout(resolve, limitMs);
  await promise;
  clearTimeout(timer);
  client.wake = null;
}

function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    response.off('drain', done);
    response.off('close', done);
    resolve();
  };
  response.once('drain', done);
  response.once('close', done);
  return promise;
}

function nextText(client: Client, event: StoredEvent): string {
  const gap = client.sent === null ? null : gapBetween(client.sent, event.id);
  client.sent = event.id;
  return (gap === null ? '' : noticeText(gap)) + eventText(event, client.unnamed);
}

/** Reads of the same place that are under way at the same time become one. */
function shareReads(read: ReadEvents): ReadEvents {
  const underWay = new Map<string, ReturnType<ReadEvents>>();
  return (from, count) => {
    const key = formatEventId(from);
    const running = underWay.get(key);
    if (running !== undefined) return running;
    const started = read(from, count).finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  };
}
