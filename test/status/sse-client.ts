// A listener of the event stream that keeps what it received and can stop reading.
import { type IncomingMessage, request } from 'node:http';
import type { TestContext } from 'node:test';
import { until } from '../support/until.ts';

export interface SseMessage {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

export interface SseClient {
  readonly response: IncomingMessage;
  readonly messages: readonly SseMessage[];
  /** The messages once there are `count`. */
  received(count: number): Promise<readonly SseMessage[]>;
  readonly ids: () => string[];
  readonly ended: Promise<void>;
  close(): void;
}

export async function openSse(
  t: Pick<TestContext, 'after'>,
  port: number,
  options: {
    readonly query?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly paused?: boolean;
    /** Another of 127.0.0.0/8: a client of its own to the server. */
    readonly localAddress?: string;
  } = {},
): Promise<SseClient> {
  const { query = '', headers = {}, paused = false, ...rest } = options;
  const path = `/api/v1/events${query}`;
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false, ...rest });
  const answered = Promise.withResolvers<IncomingMessage>();
  sent.on('response', answered.resolve);
  sent.on('error', answered.reject);
  sent.end();
  const response = await answered.promise;
  const messages: SseMessage[] = [];
  const ended = Promise.withResolvers<void>();
  let left = '';
  response.setEncoding('utf8');
  response.on('close', () => ended.resolve());
  // A connection that the server cuts is an end like any other here.
  response.on('error', () => ended.resolve());
  if (!paused) response.on('data', (chunk: string) => (left = take(left + chunk, messages)));
  t.after(() => sent.destroy());
  return {
    response,
    messages,
    received: (count) => until(`${count} messages`, () => messages.length >= count && messages, 5_000),
    ids: () => messages.flatMap(({ id }) => (id === undefined ? [] : [id])),
    ended: ended.promise,
    close: () => void sent.destroy(),
  };
}

function take(text: string, messages: SseMessage[]): string {
  const blocks = text.split('\n\n');
  const rest = blocks.pop() ?? '';
  for (const block of blocks) {
    const fields = block.split('\n').flatMap((line) => {
      const [, name = '', value = ''] = /^(id|event|data): (.*)$/.exec(line) ?? [];
      return name === '' ? [] : [[name, value] as const];
    });
    if (fields.length > 0) messages.push(Object.fromEntries(fields));
  }
  return rest;
}
