// Configuration -> one lasting session with the broker: connects, says what was granted, connects again after a loss.
// Runs on the daemon's thread.
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../contracts/clock.ts';
import type { UplinkConfig } from '../contracts/config/uplink-config.ts';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';
import { backoffDelayMs } from './backoff-delay.ts';
import { type BrokerAddress, parseBrokerAddress } from './broker-address.ts';
import { dialBroker } from './dial-broker.ts';
import { InboundLimit } from './inbound-limit.ts';
import { MqttConnection } from './mqtt-connection.ts';
import { MqttError } from './mqtt-error.ts';
import type {
  Connected,
  MessageProperties,
  MqttMessage,
  PublishOutcome,
  SubscribeOutcome,
} from './mqtt-message.ts';

/** A connection that lasted so long was a good one: the next back-off starts small again. */
const LASTING_MS = 10_000;
/** Some old brokers hang up on MQTT 5 instead of answering; so does whatever stands before a broker that is away. Only so many in a row count. */
const HANG_UPS = 3;
/** A connection with 3.1.1 that came of such a guess is left after so long, and MQTT 5 is asked for once more. */
const GUESS_MS = 600_000;
/** How long a stop waits for outstanding answers, for those to the final messages, and for the DISCONNECT to be written. */
const QUIET_MS = 600;
const FINAL_MESSAGES_MS = 600;
const DISCONNECT_MS = 200;

export interface MqttSessionOptions {
  /** `url` must be set. */
  readonly config: UplinkConfig;
  readonly clientId: string;
  /** Asked at each connect; published retained by the broker when the connection ends without a stop. */
  readonly will: () => { readonly topic: string; readonly payload: string };
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly onConnected: (connected: Connected) => void;
  /** A connection that was there is gone. */
  readonly onLost: (why: string) => void;
  /** An attempt to connect failed; the next one follows after the back-off. */
  readonly onFailed: (why: string) => void;
  /** So many messages came faster than `inboundPerSecond` and were not handled; called once a second at most. */
  readonly onRefused?: (count: number) => void;
  readonly onMessage?: (topic: string, payload: Buffer, properties: MessageProperties) => void;
  /** Default: ten minutes. */
  readonly guessMs?: number;
}

export interface MqttSession {
  /** `mqtts://host:port`, without secrets. */
  readonly shownAddress: string;
  /** QoS 1 messages that may be published now: the window less those without an answer. 0 while not connected. */
  readonly room: number;
  /** `settled` is called exactly once. Does not look at `room`: that is the caller's to do. */
  publish(message: MqttMessage, settled: (outcome: PublishOutcome) => void): void;
  subscribe(filter: string): Promise<SubscribeOutcome>;
  /** Ends this connection, which does not do its duty; the next one follows after the back-off. */
  drop(why: string): void;
  /** Publishes the messages, says goodbye, and is done within 2 s whatever the broker does. */
  stop(finalMessages: readonly MqttMessage[]): Promise<void>;
}

export function startMqttSession(options: MqttSessionOptions): MqttSession {
  const session = new Session(options);
  session.start();
  return session;
}

class Session implements MqttSession {
  readonly #options: MqttSessionOptions;
  readonly #stopping = new AbortController();
  /** Over all connections: hanging up gains a flooder nothing. */
  readonly #inbound: InboundLimit;
  #address: BrokerAddress | null = null;
  #connection: MqttConnection | null = null;
  #window = 0;
  /** Times in a row that MQTT 5 was asked for and the connection closed without an answer. */
  #hangUps = 0;
  /** What that says of the broker: nothing is known, it is asked once more, it has hung up again. */
  #guess: 'open' | 'asking' | 'confirmed' = 'open';
  #running: Promise<void> = Promise.resolve();

  constructor(options: MqttSessionOptions) {
    this.#options = options;
    const { clock, config, onRefused = () => undefined } = options;
    this.#inbound = new InboundLimit({ perSecond: config.inboundPerSecond, clock, onRefused });
  }

  start(): void {
    this.#running = this.#run();
  }

  get shownAddress(): string {
    return this.#address?.shown ?? 'the broker';
  }

  get room(): number {
    return this.#connection === null ? 0 : this.#window - this.#connection.unanswered;
  }

  publish(message: MqttMessage, settled: (outcome: PublishOutcome) => void): void {
    if (this.#connection === null) settled({ kind: 'lost' });
    else this.#connection.publish(message, settled);
  }

  async subscribe(filter: string): Promise<SubscribeOutcome> {
    return this.#connection === null
      ? { ok: false, why: 'not connected' }
      : this.#connection.subscribe(filter);
  }

  drop(why: string): void {
    this.#connection?.drop(why);
  }

  async stop(finalMessages: readonly MqttMessage[]): Promise<void> {
    this.#stopping.abort();
    const connection = this.#connection;
    if (connection !== null) {
      await within(QUIET_MS, connection.quiet());
      for (const message of finalMessages) connection.publish(message, () => undefined);
      await within(FINAL_MESSAGES_MS, connection.quiet());
      await within(DISCONNECT_MS, connection.close());
      connection.drop('stopped');
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    let version: 4 | 5 = this.#options.config.protocol === '3.1.1' ? 4 : 5;
    while (!this.#stopping.signal.aborted) {
      const began = this.#options.clock.uptimeMs();
      const end = await this.#connectOnce(version);
      if (this.#stopping.signal.aborted) return;
      const lasted = end.connected && this.#options.clock.uptimeMs() - began >= LASTING_MS;
      const next = this.#nextVersion(version, end);
      const fallsBack = end.code === 'mqtt.unsupported-version' && next === 4 && version === 5;
      version = next;
      if (fallsBack) continue;
      failures = lasted ? 0 : failures + 1;
      await this.#backOff(failures);
    }
  }

  /** `auto`: 5, and 3.1.1 for the one attempt after a broker did not take it. */
  #nextVersion(version: 4 | 5, end: End): 4 | 5 {
    const { protocol } = this.#options.config;
    if (protocol !== 'auto') return version;
    if (version === 4) return 5;
    this.#hangUps = end.code === 'mqtt.closed' ? this.#hangUps + 1 : 0;
    if (this.#hangUps === 0) this.#guess = 'open';
    else if (this.#guess === 'asking') this.#guess = 'confirmed';
    return end.code === 'mqtt.unsupported-version' || this.#hangUps >= HANG_UPS ? 4 : 5;
  }

  async #connectOnce(protocolVersion: 4 | 5): Promise<End> {
    const { clientId, config, log, onMessage } = this.#options;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(config.connectTimeoutMs)]);
    let stream: Duplex | undefined;
    let connection: MqttConnection | undefined;
    try {
      const address = parseBrokerAddress(config.url ?? '');
      this.#address = address;
      stream = await dialBroker(address, config, signal);
      connection = new MqttConnection({
        stream,
        address,
        config,
        protocolVersion,
        clientId,
        will: this.#options.will(),
        log,
        inbound: this.#inbound,
        onMessage: onMessage ?? (() => undefined),
      });
      const opening = connection;
      const giveUp = () =>
        opening.drop(`no CONNACK from ${address.shown} within ${config.connectTimeoutMs} ms`);
      signal.addEventListener('abort', giveUp, { once: true });
      const connected = await connection.open().finally(() => signal.removeEventListener('abort', giveUp));
      this.#use(connection, connected);
    } catch (error) {
      this.#connection = null;
      stream?.destroy();
      const code = error instanceof MqttError ? error.code : null;
      if (!this.#stopping.signal.aborted) this.#options.onFailed(errorText(error));
      return { connected: false, code };
    }
    const why = await this.#untilEnded(connection, protocolVersion);
    this.#connection = null;
    if (!this.#stopping.signal.aborted) this.#options.onLost(why);
    return { connected: true, code: null };
  }

  async #untilEnded(connection: MqttConnection, version: 4 | 5): Promise<string> {
    const { config, guessMs = GUESS_MS } = this.#options;
    const isGuess = version === 4 && config.protocol === 'auto' && this.#hangUps > 0;
    if (!isGuess || this.#guess === 'confirmed') return connection.ended;
    const leave = () => {
      this.#guess = 'asking';
      connection.drop('MQTT 5 is asked for once more: before, the connection was only closed on it');
    };
    const timer = setTimeout(leave, guessMs);
    return connection.ended.finally(() => clearTimeout(timer));
  }

  #use(connection: MqttConnection, connected: Connected): void {
    if (this.#stopping.signal.aborted) {
      connection.drop('stopped');
      return;
    }
    this.#connection = connection;
    this.#window = Math.min(this.#options.config.window, connected.receiveMaximum);
    this.#options.onConnected(connected);
  }

  async #backOff(failures: number): Promise<void> {
    const { backoffMaxMs, backoffMinMs } = this.#options.config;
    const attempt = Math.max(0, failures - 1);
    const waitMs = backoffDelayMs(
      attempt,
      { minMs: backoffMinMs, maxMs: backoffMaxMs },
      this.#options.random,
    );
    this.#options.log.debug({ waitMs, failures }, 'waiting before the next connection');
    await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

interface End {
  readonly connected: boolean;
  readonly code: MqttError['code'] | null;
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([work, delay(limitMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
}
