// Subscribes to a broker and keeps what comes, in order.
import type { TestContext } from 'node:test';
import mqtt, { type IClientOptions } from 'mqtt';
import { until } from './until.ts';

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Subscriber {
  readonly messages: readonly Received[];
  /** Payloads of the messages whose topic matches, parsed. */
  documents(topic: RegExp): readonly Record<string, unknown>[];
  /** Resolves with the first message, past or to come, that `wanted` likes. */
  message(what: string, wanted: (message: Received) => boolean, limitMs?: number): Promise<Received>;
  /** Resolves once `count` messages have come on topics that match. */
  count(topic: RegExp, count: number, limitMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves once the broker has confirmed the subscription. Connects again by itself when the broker restarts. */
export async function startSubscriber(
  t: Pick<TestContext, 'after'>,
  url: string,
  filter = 'autoweave/v1/#',
  options: IClientOptions = {},
): Promise<Subscriber> {
  const messages: Received[] = [];
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 50, ...options });
  client.on('message', (topic, payload, packet) => {
    messages.push({
      topic,
      payload: payload.toString(),
      retain: packet.retain,
      properties: { ...packet.properties },
    });
  });
  const stop = () => client.endAsync(true);
  t.after(stop);
  await client.subscribeAsync(filter, { qos: 1 });
  return {
    messages,
    documents: (topic) =>
      messages
        .filter((message) => topic.test(message.topic))
        .map((message) => JSON.parse(message.payload) as Record<string, unknown>),
    message: (what, wanted, limitMs) => until(what, () => messages.find(wanted), limitMs),
    async count(topic, count, limitMs) {
      const seen = () => messages.filter((message) => topic.test(message.topic)).length;
      await until(`${count} messages on ${String(topic)}`, () => seen() >= count, limitMs);
    },
    stop,
  };
}
