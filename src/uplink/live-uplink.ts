// One connection to the broker -> birth, inventory, then events, until the connection ends. Runs on the daemon's thread.
import { compareEventIds, type EventId, formatEventId, type StoredEvent } from '../contracts/event.ts';
import type { PartState } from '../contracts/health.ts';
import type { PluginStatus } from '../contracts/plugin-status.ts';
import { topicsOf } from '../contracts/topics.ts';
import type { RateLimit } from '../lib/rate-limit.ts';
import { backoffDelayMs } from '../mqtt/backoff-delay.ts';
import type { Connected, MqttMessage, PublishOutcome } from '../mqtt/mqtt-message.ts';
import type { MqttSession } from '../mqtt/start-mqtt-session.ts';
import { createDocumentMaker } from './document-maker.ts';
import { EventSender } from './event-sender.ts';
import { isTooLarge } from './packet-size.ts';
import { RetainedDocument } from './retained-document.ts';
import type { NotPublished, PluginMessage } from './start-uplink.ts';
import type { UplinkOptions } from './uplink-options.ts';

/** The state is published so often even if nothing changed, so that its age says that the appliance lives. */
const KEEP_FRESH_MS = 60_000;
/** The health is confirmed so often while the connection stands (the keep-alive watches over that). */
const CONFIRM_HEALTH_MS = 10_000;
const ACK_TIMEOUT_MS = 30_000;

/** What is known over all connections. */
export interface UplinkMemory {
  /** Highest id ever sent. */
  highest: EventId;
  /** Up to here too large events have been reported. */
  skippedUpTo: EventId;
  readonly limit: RateLimit;
  /** null: removed; its retained document is to be removed too. */
  readonly plugins: Map<string, PluginStatus | null>;
}

export interface LiveUplinkOptions {
  readonly uplink: UplinkOptions;
  readonly session: MqttSession;
  readonly connected: Connected;
  readonly memory: UplinkMemory;
}

/**
 * INVARIANTS
 * - The birth is published before the inventory, and both before any event.
 * - At most one sender at a time; while events cannot get through there is none, and a new one starts after the back-off.
 */
export class LiveUplink {
  readonly #options: LiveUplinkOptions;
  readonly #state: RetainedDocument;
  readonly #inventory: RetainedDocument;
  readonly #plugins = new Map<string, RetainedDocument>();
  readonly #topics: ReturnType<typeof topicsOf>;
  readonly #eventTopics = new Map<string, string>();
  #sender: EventSender | null = null;
  /** Times in a row that the broker would not take events, and where the cursor stood the last time. */
  #refusals = 0;
  #stuckAt: EventId;
  /** How the events fare, and besides which documents the broker does not have as they are now: topic -> why. */
  #events: { readonly state: PartState; readonly why: string };
  readonly #missingDocuments = new Map<string, string>();
  #over = false;
  #timers: NodeJS.Timeout[] = [];
  #retryTimer: NodeJS.Timeout | undefined;
  #stopListening: () => void = () => undefined;

  constructor(options: LiveUplinkOptions) {
    const { connected, session, uplink } = options;
    const { clock, inventoryDocument, stateDocument } = uplink;
    this.#options = options;
    this.#stuckAt = uplink.cursor.position;
    this.#topics = topicsOf(uplink.appliance);
    const maker = createDocumentMaker(uplink);
    const since = clock.now();
    this.#state = this.#document(this.#topics.state, () => maker.online(stateDocument(), since));
    this.#inventory = this.#document(this.#topics.inventory, () => maker.inventory(inventoryDocument()));
    const version = connected.protocolVersion === 5 ? '5' : '3.1.1';
    this.#events = { state: 'ok', why: `connected to ${session.shownAddress} with MQTT ${version}` };
  }

  #document(topic: string, make: () => object | null): RetainedDocument {
    const { connected, session, uplink } = this.#options;
    return new RetainedDocument({
      ...{ session, topic, make, clock: uplink.clock, maximumPacketSize: connected.maximumPacketSize },
      onSettled: (outcome) => this.#documentSettled(topic, outcome),
      onTooLarge: (bytes) => this.#documentTooLarge(topic, bytes),
    });
  }

  start(): void {
    const { onAppended } = this.#options.uplink;
    this.#options.memory.limit.begin(this.#options.uplink.random());
    this.#reportHealth();
    this.#state.changed();
    this.#inventory.changed();
    for (const name of this.#options.memory.plugins.keys()) this.publishPlugin(name);
    this.#stopListening = onAppended((lastId) => this.#sender?.wake(lastId));
    const keepFresh = setInterval(() => this.#state.changed(), KEEP_FRESH_MS).unref();
    const confirm = setInterval(() => this.#reportHealth(), CONFIRM_HEALTH_MS).unref();
    this.#timers.push(keepFresh, confirm);
    this.#startSender();
  }

  publishState(): void {
    this.#state.changed();
  }

  publishInventory(): void {
    this.#inventory.changed();
  }

  publishPlugin(name: string): void {
    const { memory } = this.#options;
    // A retained document is taken back by an empty one.
    const make = () => memory.plugins.get(name) ?? null;
    const document = this.#plugins.get(name) ?? this.#document(this.#topics.plugin(name), make);
    this.#plugins.set(name, document);
    document.changed();
  }

  publishPluginMessage({ payload, plugin, retain, topic }: PluginMessage): Promise<NotPublished | null> {
    const { connected, session } = this.#options;
    const { promise, resolve } = Promise.withResolvers<NotPublished | null>();
    if (session.room <= 0)
      return Promise.resolve({ code: 'mqtt.busy', reason: 'the window to the broker is full; try again' });
    const message: MqttMessage = {
      topic: this.#topics.pluginMessage(plugin, topic),
      ...{ payload, retain, contentType: 'application/octet-stream' },
      qos: 1,
    };
    if (isTooLarge(message, connected.maximumPacketSize)) {
      const reason = `the broker takes no packet above ${connected.maximumPacketSize} bytes; make the message smaller`;
      return Promise.resolve({ code: 'mqtt.refused', reason });
    }
    session.publish(message, (outcome) => {
      if (outcome.kind === 'accepted') resolve(null);
      else if (outcome.kind === 'refused') resolve({ code: 'mqtt.refused', reason: outcome.why });
      else resolve({ code: 'mqtt.offline', reason: 'the connection ended before the broker had it' });
      this.#flushDocuments();
      this.#sender?.pump();
    });
    return promise;
  }

  /** Sends nothing more; PUBACKs still on their way move the cursor. */
  end(): void {
    this.#over = true;
    this.#sender?.end();
    this.#state.stop();
    this.#inventory.stop();
    for (const document of this.#plugins.values()) document.stop();
    this.#stopListening();
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#retryTimer);
  }

  /** Said until the health is confirmed next. */
  flooded(count: number): void {
    const { session, uplink } = this.#options;
    const limit = `more than ${uplink.config.inboundPerSecond} messages/s (uplink.inboundPerSecond)`;
    uplink.report('degraded', `${session.shownAddress} sends ${limit}: ${count} refused`);
  }

  #startSender(): void {
    if (this.#over) return;
    const { connected, memory, session, uplink } = this.#options;
    const { clock, cursor, mayPublish, metrics, read } = uplink;
    this.#sender = new EventSender({
      session,
      read,
      cursor,
      mayPublish,
      topicOf: (type) => this.#eventTopic(type),
      maximumPacketSize: connected.maximumPacketSize,
      ackTimeoutMs: uplink.ackTimeoutMs ?? ACK_TIMEOUT_MS,
      limit: memory.limit,
      clock,
      metrics,
      progress: memory,
      beforeEvents: () => this.#flushDocuments(),
      onAccepted: () => this.#flowing(),
      onHeldBack: (heldBack) => this.#heldBack(heldBack),
      onStuck: (why) => this.#stuck(why),
      onTooLarge: (event) => this.#tooLarge(event),
    });
    this.#sender.start();
  }

  #eventTopic(type: string): string {
    const known = this.#eventTopics.get(type);
    if (known !== undefined) return known;
    const topic = this.#topics.event(type);
    this.#eventTopics.set(type, topic);
    return topic;
  }

  #flushDocuments(): void {
    this.#state.flush();
    this.#inventory.flush();
    for (const document of this.#plugins.values()) document.flush();
  }

  #documentSettled(topic: string, outcome: PublishOutcome): void {
    if (this.#over) return;
    if (outcome.kind === 'refused') {
      this.#options.uplink.metrics.refused.add(1, { reason: `0x${outcome.code.toString(16)}` });
      this.#missingDocuments.set(topic, `the broker does not take ${topic}: ${outcome.why}`);
      this.#reportHealth();
    } else if (outcome.kind === 'accepted' && this.#missingDocuments.delete(topic)) {
      this.#reportHealth();
    }
    this.#flushDocuments();
    this.#sender?.pump();
  }

  #documentTooLarge(topic: string, bytes: number): void {
    const { connected, uplink } = this.#options;
    const why = `${topic} has ${bytes} bytes, and the broker takes no packet above ${connected.maximumPacketSize}: it is not published. Raise the broker's limit`;
    uplink.metrics.refused.add(1, { reason: 'too-large' });
    this.#missingDocuments.set(topic, why);
    this.#reportHealth();
  }

  #flowing(): void {
    if (this.#refusals === 0) return;
    this.#refusals = 0;
    this.#say('ok', `connected to ${this.#options.session.shownAddress}; it takes events again`);
  }

  #heldBack(heldBack: boolean): void {
    // That it begins to catch up proves nothing while events are refused.
    if (heldBack && this.#refusals > 0) return;
    this.#refusals = 0;
    const { session, uplink } = this.#options;
    const limit = `catching up with at most ${uplink.config.drainEventsPerSecond} events/s, as uplink.drainEventsPerSecond says`;
    this.#say('ok', `connected to ${session.shownAddress}${heldBack ? `; ${limit}` : '; caught up'}`);
  }

  #stuck(why: string): void {
    this.#sender = null;
    if (this.#over) return;
    const { backoffMaxMs: maxMs, backoffMinMs: minMs } = this.#options.uplink.config;
    const { position } = this.#options.uplink.cursor;
    // Some were taken before the next was refused, perhaps in one and the same turn.
    if (compareEventIds(position, this.#stuckAt) > 0) this.#refusals = 0;
    this.#stuckAt = position;
    const waitMs = backoffDelayMs(this.#refusals, { minMs, maxMs }, this.#options.uplink.random);
    this.#refusals += 1;
    this.#say('degraded', `${why}; nothing is lost, trying again in ${Math.ceil(waitMs / 1_000)} s`);
    this.#options.uplink.log.warn({ why, waitMs, refusals: this.#refusals }, 'no event can be published now');
    this.#retryTimer = setTimeout(() => this.#startSender(), waitMs);
  }

  #tooLarge({ id, type, json }: StoredEvent): void {
    const { memory, uplink } = this.#options;
    const text = formatEventId(id);
    uplink.metrics.refused.add(1, { reason: 'too-large' });
    uplink.log.error(
      { id: text, type, bytes: Buffer.byteLength(json) },
      'the broker accepts no message of that size: skipped',
    );
    // Sent again after a lost connection, it is the same gap; and a gap about a gap would never end.
    if (compareEventIds(id, memory.skippedUpTo) <= 0 || type === 'buffer.gap') return;
    memory.skippedUpTo = id;
    uplink.onEvent({
      type: 'buffer.gap',
      subject: 'uplink',
      data: { reason: 'too-large', count: 1, from: text, to: text },
    });
  }

  #say(state: PartState, why: string): void {
    this.#events = { state, why };
    this.#reportHealth();
  }

  /** The worse of the two; of two that are as bad the events'. */
  #reportHealth(): void {
    const { report } = this.#options.uplink;
    const [missing] = this.#missingDocuments.values();
    if (this.#events.state !== 'ok' || missing === undefined) report(this.#events.state, this.#events.why);
    else report('degraded', `${missing}. Events are delivered`);
  }
}
