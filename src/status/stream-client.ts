// One listener of the event stream: where it stands, what it was told, and what it waits for.
import type { ServerResponse } from 'node:http';
import type { EventId, StoredEvent } from '../contracts/event.ts';
import { noticeBetween, type StreamAsked, streamStart } from './stream-position.ts';
import { bufferAway, eventText, noticeText } from './stream-text.ts';

export interface StreamClient {
  readonly response: ServerResponse;
  readonly asked: StreamAsked;
  /** Without `event:` fields: an EventSource gets every type with one listener. */
  readonly unnamed: boolean;
  /** The device list too, whenever it changes. */
  readonly devices: boolean;
  readonly givePlaceBack: () => void;
  /** Whether who listens may have the events still. */
  readonly mayStill: () => boolean;
  /** Last entry read; null until it is known where the store ends. */
  position: EventId | null;
  /** Last event sent, from which the next must follow; null where it need not. */
  sent: EventId | null;
  woken: boolean;
  wake: (() => void) | null;
  /** Ends the wait for a read. */
  leave: (() => void) | null;
  away: boolean;
  /** The device list has changed while the socket was full. */
  missesDevices: boolean;
}

export function newClient(
  response: ServerResponse,
  asked: StreamAsked,
  given: Pick<StreamClient, 'unnamed' | 'devices' | 'givePlaceBack' | 'mayStill'>,
): StreamClient {
  return {
    ...given,
    response,
    asked,
    position: null,
    sent: null,
    woken: false,
    wake: null,
    leave: null,
    away: false,
    missesDevices: false,
  };
}

/** Once it is known where the store ends; `unseen` as in streamStart(). */
export function placeAt(client: StreamClient, lastId: EventId, unseen = 0): void {
  if (client.position !== null) return;
  const { from, mayJump, notice } = streamStart(client.asked, lastId, unseen);
  if (notice !== null) client.response.write(noticeText(notice));
  client.position = from;
  client.sent = mayJump ? null : from;
}

/** Once for each time that it is away. */
export function tellAway(client: StreamClient, why: string): void {
  if (!client.away) client.response.write(noticeText(bufferAway(why)));
  client.away = true;
}

export function wake(client: StreamClient): void {
  client.woken = true;
  client.wake?.();
}

/** Until the next append (one that came since the last look counts), or for `limitMs`. */
export async function sleep(client: StreamClient, limitMs: number | null): Promise<void> {
  if (client.woken) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  client.wake = resolve;
  const timer = limitMs === null ? undefined : setTimeout(resolve, limitMs);
  await promise;
  clearTimeout(timer);
  client.wake = null;
}

export function drained(response: ServerResponse): Promise<void> {
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

export function nextText(client: StreamClient, event: StoredEvent): string {
  const notice = client.sent === null ? null : noticeBetween(client.sent, event.id);
  client.sent = event.id;
  return (notice === null ? '' : noticeText(notice)) + eventText(event, client.unnamed);
}
