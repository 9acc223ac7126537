// An open byte stream -> one MQTT connection, from CONNECT to the end of the stream. A new mqtt.js client each time: nothing
// of an earlier connection (its store, its queue, its packet ids) can be sent by itself.
import type { Duplex } from 'node:stream';
import { type IConnackPacket, MqttClient, type Packet } from 'mqtt';
import { streamBuilder as webSocketStream } from 'mqtt/lib/connect/ws';
import type { UplinkConfig } from '../contracts/config/uplink-config.ts';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';
import type { BrokerAddress } from './broker-address.ts';
import { alertRemedy, codeOf } from './explain-dial-error.ts';
import { feedPackets } from './feed-packets.ts';
import type { InboundLimit } from './inbound-limit.ts';
import { MqttError, type MqttErrorCode } from './mqtt-error.ts';
import type {
  Connected,
  MessageProperties,
  MqttMessage,
  PublishOutcome,
  SubscribeOutcome,
} from './mqtt-message.ts';
import { OddPubacks } from './odd-pubacks.ts';
import { printable, reasonText } from './reason-text.ts';
import { toClientOptions } from './to-client-options.ts';
import { toMessageProperties } from './to-message-properties.ts';

/** The largest packet a broker may send us, and how many QoS 1 messages at once. */
const MAXIMUM_PACKET_SIZE = 1_048_576;
const RECEIVE_MAXIMUM = 32;

const ACCEPTED: PublishOutcome = { kind: 'accepted' };
const LOST: PublishOutcome = { kind: 'lost' };

export interface ConnectionOptions {
  readonly stream: Duplex;
  readonly address: BrokerAddress;
  readonly config: UplinkConfig;
  readonly protocolVersion: 4 | 5;
  readonly clientId: string;
  readonly will: { readonly topic: string; readonly payload: string };
  readonly log: Log;
  readonly inbound: InboundLimit;
  readonly onMessage: (topic: string, payload: Buffer, properties: MessageProperties) => void;
}

/**
 * INVARIANTS
 * - `ended` resolves exactly once, with why; `open()` has resolved or rejected by then.
 * - Every publish gets exactly one outcome; those without an answer get `lost` when the connection ends.
 */
export class MqttConnection {
  readonly ended: Promise<string>;
  readonly #client: MqttClient;
  readonly #oddPubacks = new OddPubacks();
  readonly #options: ConnectionOptions;
  readonly #ready = Promise.withResolvers<Connected>();
  readonly #ended = Promise.withResolvers<string>();
  readonly #unanswered = new Set<(outcome: PublishOutcome) => void>();
  #quiet: (() => void) | null = null;
  #isAnswered = false;
  #over = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.ended = this.#ended.promise;
    this.#client = new MqttClient(
      (client) =>
        feedPackets(
          options.address.webSocketPath === null
            ? options.stream
            : (webSocketStream(client, client.options) as Duplex),
          {
            maximumPacketSize: MAXIMUM_PACKET_SIZE,
            inspect: this.#oddPubacks.inspect,
            inbound: options.inbound,
          },
        ),
      toClientOptions(options, { maximumPacketSize: MAXIMUM_PACKET_SIZE, receiveMaximum: RECEIVE_MAXIMUM }),
    );
  }

  /** Sends CONNECT; rejects with an MqttError when the broker refuses, or the connection ends before it answers. */
  open(): Promise<Connected> {
    const { inbound, log, onMessage, protocolVersion } = this.#options;
    this.#client.on('connect', (connack) => this.#begin(connack));
    this.#client.on('packetreceive', (packet) => this.#watch(packet));
    this.#client.on('error', (error) => this.#fail(error));
    this.#client.on('close', () => this.#end('mqtt.closed', 'the broker closed the connection'));
    this.#client.on('message', (topic, payload, { properties, qos, retain }) => {
      // Those of QoS 1 have been admitted with their PUBACK, in MQTT 5.
      if ((qos === 0 || protocolVersion === 4) && !inbound.admit()) return;
      try {
        onMessage(topic, payload, toMessageProperties(retain, properties));
      } catch (error) {
        log.error(
          { topic: printable(topic), error: errorText(error) },
          'a message from the broker was not handled',
        );
      }
    });
    this.#client.connect();
    // mqtt.js passes on only errors that have a code.
    this.#client.stream.on('error', (error: Error) => this.#fail(error));
    // Not every kind of stream closes when the other side has ended it.
    this.#client.stream.on('end', () => this.#end('mqtt.closed', 'the broker closed the connection'));
    return this.#ready.promise;
  }

  get unanswered(): number {
    return this.#unanswered.size;
  }

  publish(
    { topic, payload, qos, retain, contentType }: MqttMessage,
    settled: (outcome: PublishOutcome) => void,
  ): void {
    if (this.#over) {
      settled(LOST);
      return;
    }
    const entry = (outcome: PublishOutcome) => {
      if (!this.#unanswered.delete(entry)) return;
      settled(outcome);
      if (this.#unanswered.size === 0) this.#quiet?.();
    };
    this.#unanswered.add(entry);
    const properties = this.#client.options.protocolVersion === 5 ? { properties: { contentType } } : {};
    this.#client.publish(topic, payload, { qos, retain, ...properties }, (error, answer) => {
      if (!error) {
        entry(ACCEPTED);
      } else if (!('code' in error)) {
        entry(LOST);
      } else {
        const code = this.#oddPubacks.take(answer?.messageId) ?? error.code;
        entry({ kind: 'refused', code, why: reasonText(code) });
      }
    });
  }

  subscribe(filter: string): Promise<SubscribeOutcome> {
    const outcome = Promise.withResolvers<SubscribeOutcome>();
    if (this.#over) return Promise.resolve({ ok: false, why: 'not connected' });
    this.#client.subscribe(filter, { qos: 1 }, (error) => {
      const code = error instanceof Error && 'code' in error ? Number(error.code) : null;
      if (!error) outcome.resolve({ ok: true });
      else outcome.resolve({ ok: false, why: code === null ? errorText(error) : reasonText(code) });
    });
    return outcome.promise;
  }

  /** Resolves when everything published so far has its outcome. */
  async quiet(): Promise<void> {
    if (this.#unanswered.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#quiet = resolve;
    await promise;
  }

  /** Ends the connection without a DISCONNECT: the broker publishes the will. */
  drop(why: string): void {
    this.#end('mqtt.timeout', why);
  }

  /** Sends DISCONNECT: the broker forgets the will. Resolves when the stream is closed. */
  async close(): Promise<void> {
    if (this.#over) return;
    // end() would wait for outstanding answers; what they are for is sent again by the next connection.
    for (const id of Object.keys(this.#client.outgoing)) this.#client.removeOutgoingMessage(Number(id));
    const closed = Promise.withResolvers<void>();
    this.#client.end(false, {}, () => closed.resolve());
    await Promise.race([closed.promise, this.ended]);
    this.#end('mqtt.closed', 'closed by us');
  }

  #begin({ properties, sessionPresent }: IConnackPacket): void {
    if (properties?.maximumQoS === 0) {
      this.#end('mqtt.refused', `the broker cannot be used: ${reasonText(155)}`);
      return;
    }
    this.#ready.resolve({
      protocolVersion: this.#options.protocolVersion,
      receiveMaximum: properties?.receiveMaximum ?? 65_535,
      maximumPacketSize: properties?.maximumPacketSize ?? null,
      topicAliasMaximum: properties?.topicAliasMaximum ?? 0,
      sessionPresent,
    });
  }

  #watch(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack': {
        const code = packet.reasonCode ?? packet.returnCode ?? 0;
        this.#isAnswered = true;
        if (code === 0) return;
        const why = `the broker refused the connection: ${reasonText(code, packet.properties?.reasonString)}`;
        this.#end(code === 1 || code === 132 ? 'mqtt.unsupported-version' : 'mqtt.refused', why);
        return;
      }
      case 'disconnect': {
        const text = reasonText(packet.reasonCode ?? 0, packet.properties?.reasonString);
        this.#end('mqtt.refused', `the broker ended the session: ${text}`);
        return;
      }
      case 'publish':
        if (!this.#isAnswered) this.#end('mqtt.hostile-packet', 'the broker sent a message before CONNACK');
        // We subscribe with QoS 1 at most; mqtt.js would keep messages of QoS 2 in memory.
        if (packet.qos === 2) this.#end('mqtt.hostile-packet', 'the broker sent a message of QoS 2, unasked');
        return;
      default:
        // MQTT 5 section 3.2: the first packet is the CONNACK. mqtt.js would queue its answers to anything else.
        if (!this.#isAnswered)
          this.#end('mqtt.hostile-packet', `the broker sent ${packet.cmd} before CONNACK`);
    }
  }

  #fail(error: Error): void {
    const code = codeOf(error);
    const remedy = alertRemedy(code);
    if (remedy !== undefined) this.#end('mqtt.tls-refused', `${remedy} (${code})`);
    else this.#end(error instanceof MqttError ? error.code : 'mqtt.closed', errorText(error));
  }

  #end(code: MqttErrorCode, why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#client.stream.destroy();
    this.#ready.reject(new MqttError(code, why));
    this.#ended.resolve(why);
    for (const settled of [...this.#unanswered]) settled(LOST);
  }
}
