// Events of the buffer, from the cursor on -> signed requests to one receiver, in order; the cursor follows what it accepted.
// One sender for each configured webhook, as long as the daemon runs. Runs on the daemon's thread.
import { setTimeout as delay } from 'node:timers/promises';
import type { Cursor, ReadEvents } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { WebhookConfig } from '../contracts/config/webhook-config.ts';
import { compareEventIds, type EventId, formatEventId, START } from '../contracts/event.ts';
import type { PartState, ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { WebhookMetrics } from '../contracts/metrics.ts';
import { errorText } from '../lib/error-text.ts';
import { backoffDelayMs } from '../mqtt/backoff-delay.ts';
import { toTypeFilter } from './type-filter.ts';
import type { WebhookEvent } from './uplink-options.ts';
import { WebhookClient } from './webhook-client.ts';
import { type Batch, sourceKeyOf, toRequest, WebhookQueue } from './webhook-queue.ts';

const PAGE_EVENTS = 256;
/** How long a stop waits for answers that are on their way. */
const QUIET_MS = 600;

export interface WebhookSenderOptions {
  readonly config: WebhookConfig;
  /** CloudEvents source of the appliance. */
  readonly source: string;
  readonly read: ReadEvents;
  readonly cursor: Cursor;
  readonly mayPublish: (id: EventId) => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: WebhookMetrics;
  readonly log: Log;
  readonly report: ReportHealth;
  readonly onEvent: (event: WebhookEvent) => void;
}

/**
 * INVARIANTS
 * - Requests begin in the order of their events, each no earlier than `mayPublish` has resolved for it.
 * - The cursor passes an event only after its request and all before it were accepted; what was skipped is reported first.
 * - While the receiver fails there is one request at a time, that of the oldest events, after each back-off.
 */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #client: WebhookClient;
  readonly #queue: WebhookQueue;
  readonly #sourceKey: string;
  #readPosition: EventId;
  #reading = false;
  /** A read found nothing more; from then on `#lastAppended` says whether there is. */
  #reachedEnd = false;
  #lastAppended: EventId = START;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Uptime at which the pause ends. */
  #pausedUntilMs = 0;
  readonly #sending = new Set<Promise<void>>();
  #over = false;

  constructor(options: WebhookSenderOptions) {
    const { clock, config, cursor, source } = options;
    this.#options = options;
    this.#client = new WebhookClient(config, clock);
    this.#queue = new WebhookQueue(toTypeFilter(config.types), config.batch ?? 1);
    this.#sourceKey = sourceKeyOf(source);
    this.#readPosition = cursor.position;
  }

  start(): void {
    this.#options.report('unknown', `nothing was sent to ${this.#client.shownAddress} yet`);
    this.#readAhead();
  }

  /** New events are in the buffer. */
  wake(lastId: EventId): void {
    this.#lastAppended = lastId;
    this.#readAhead();
  }

  /** Sends nothing more; what is on its way may still be accepted, within a moment. */
  async stop(): Promise<void> {
    this.#end();
    const ending = new AbortController();
    const late = delay(QUIET_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#sending), late]);
    ending.abort();
    this.#client.close();
    await Promise.all(this.#sending);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #pump(): void {
    const most = this.#failures > 0 ? 1 : this.#options.config.maxInFlight;
    while (!this.#over && this.#pause === undefined && this.#sending.size < most) {
      const batch = this.#queue.nextWaiting();
      if (batch === undefined) break;
      const sending = this.#send(batch).finally(() => {
        this.#sending.delete(sending);
        this.#pump();
      });
      this.#sending.add(sending);
    }
    this.#readAhead();
  }

  async #send(batch: Batch): Promise<void> {
    const { clock, config, metrics } = this.#options;
    const webhook = config.name;
    batch.state = 'sending';
    const sentMs = clock.uptimeMs();
    const inList = config.batch !== undefined;
    const answer = await this.#client.post(toRequest(batch.events, { inList, sourceKey: this.#sourceKey }));
    metrics.requestDuration.observe((clock.uptimeMs() - sentMs) / 1_000, { webhook });
    switch (answer.kind) {
      case 'accepted':
        metrics.delivered.add(batch.events.length, { webhook });
        this.#accept(batch);
        return;
      case 'too-large':
        metrics.failed.add(1, { webhook, reason: '413' });
        if (!this.#queue.split(batch)) this.#skip(batch);
        return;
      case 'gone':
        metrics.failed.add(1, { webhook, reason: '410' });
        this.#disable();
        return;
      case 'failed':
        batch.state = 'waiting';
        if (this.#over) return;
        metrics.failed.add(1, { webhook, reason: answer.reason });
        this.#backOff(answer.status === null ? 'down' : 'degraded', answer.why, answer.retryAfterMs ?? 0);
    }
  }

  #accept(batch: Batch): void {
    const { config, cursor, metrics } = this.#options;
    if (batch === this.#queue.front) {
      this.#failures = 0;
      metrics.up.set(1, { webhook: config.name });
      if (!this.#over) this.#options.report('ok', `${this.#client.shownAddress} accepts the events`);
    }
    batch.state = 'accepted';
    const upTo = this.#queue.passAccepted();
    if (upTo !== null) cursor.acknowledge(upTo);
  }

  /** Of a batch of one event. */
  #skip(batch: Batch): void {
    const { config, log, metrics, onEvent } = this.#options;
    const webhook = config.name;
    for (const event of batch.events) {
      const id = formatEventId(event.id);
      const why = `the receiver takes no body of ${Buffer.byteLength(event.json)} bytes (413)`;
      metrics.skipped.add(1, { webhook });
      log.error({ id, why }, 'an event was skipped');
      // Refused as well, it would make another one for ever.
      if (event.type !== 'uplink.webhook-skipped')
        onEvent({
          type: 'uplink.webhook-skipped',
          subject: `webhook/${webhook}`,
          data: { webhook, id, why },
        });
    }
    this.#accept(batch);
  }

  #disable(): void {
    if (this.#over) return;
    this.#end();
    const { config, log, metrics, onEvent } = this.#options;
    const why = `${this.#client.shownAddress} answered 410 Gone: it gets nothing more until the next start; remove it from uplink.webhooks`;
    metrics.up.set(0, { webhook: config.name });
    log.error({ why }, 'the webhook is disabled');
    this.#options.report('down', why);
    onEvent({
      type: 'uplink.webhook-disabled',
      subject: `webhook/${config.name}`,
      data: { webhook: config.name, why },
    });
  }

  /** Nothing is sent for a while; of several that fail at once only the first counts. */
  #backOff(state: PartState, why: string, leastMs: number): void {
    const { clock, config, log, metrics, random } = this.#options;
    const { backoffMaxMs: maxMs, backoffMinMs: minMs } = config;
    const nowMs = clock.uptimeMs();
    const isFirst = this.#pause === undefined;
    const ownMs = isFirst ? backoffDelayMs(this.#failures, { minMs, maxMs }, random) : 0;
    if (isFirst) this.#failures += 1;
    const untilMs = nowMs + Math.max(ownMs, leastMs);
    if (!isFirst && untilMs <= this.#pausedUntilMs) return;
    this.#pausedUntilMs = untilMs;
    const waitMs = untilMs - nowMs;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#pump();
    }, waitMs);
    metrics.up.set(0, { webhook: config.name });
    const again = `nothing is lost, trying again in ${Math.ceil(waitMs / 1_000)} s`;
    this.#options.report(state, `${this.#client.shownAddress}: ${why}; ${again}`);
    log.warn({ why, waitMs, failures: this.#failures }, 'the webhook gets no events now');
  }

  #readAhead(): void {
    const hasMore = !this.#reachedEnd || compareEventIds(this.#lastAppended, this.#readPosition) > 0;
    const isLow = this.#queue.length <= this.#options.config.maxInFlight;
    if (this.#over || this.#reading || this.#pause !== undefined || !isLow || !hasMore) return;
    this.#reading = true;
    void this.#readPage();
  }

  async #readPage(): Promise<void> {
    const { config, cursor, mayPublish, read } = this.#options;
    // An expired cursor has moved to the end by itself.
    const from = laterId(this.#readPosition, cursor.position);
    try {
      const page = await read(from, Math.max(PAGE_EVENTS, config.batch ?? 1));
      const last = page.events.at(-1);
      if (last !== undefined) await mayPublish(last.id);
      if (this.#over) return;
      this.#readPosition = page.position;
      this.#reachedEnd = compareEventIds(page.position, from) === 0;
      if (!this.#reachedEnd) this.#queue.take(page);
    } catch (error) {
      if (!this.#over) this.#backOff('degraded', `cannot read the buffer: ${errorText(error)}`, 0);
      return;
    } finally {
      this.#reading = false;
    }
    const upTo = this.#queue.passAccepted();
    if (upTo !== null) cursor.acknowledge(upTo);
    this.#pump();
  }
}

function laterId(a: EventId, b: EventId): EventId {
  return compareEventIds(a, b) < 0 ? b : a;
}
