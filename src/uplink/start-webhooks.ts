// The configured webhooks -> one sender each, until the stop. Runs on the daemon's thread.
import type { Cursor, KeepConsumers, ReadEvents } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { WebhookConfig } from '../contracts/config/webhook-config.ts';
import type { EventId } from '../contracts/event.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { WebhookMetrics } from '../contracts/metrics.ts';
import { type ApplianceName, sourceOf } from '../contracts/topics.ts';
import type { WebhookEvent } from './uplink-options.ts';
import { WebhookSender } from './webhook-sender.ts';

const PREFIX = 'webhook:';

export interface WebhooksOptions {
  readonly webhooks: readonly WebhookConfig[];
  readonly appliance: ApplianceName;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: WebhookMetrics;
  readonly log: Log;
  /** For the part `webhook:<name>`. */
  readonly reporter: (part: string) => ReportHealth;
  /** The durable place of the consumer `webhook:<name>`. */
  readonly place: (consumer: string) => { readonly cursor: Cursor; readonly read: ReadEvents };
  /** Gives up the places of webhooks that are configured no more: nobody will read on for them. */
  readonly keepPlaces: KeepConsumers;
  /** Resolves once everything up to `id` may leave the appliance. */
  readonly mayPublish: (id: EventId) => Promise<void>;
  /** Calls the listener with the last id after each append, until the returned function is called. */
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  readonly onEvent: (event: WebhookEvent) => void;
}

export interface Webhooks {
  /** Waits a moment for outstanding answers; done within 1 s whatever the receivers do. */
  stop(): Promise<void>;
}

export function startWebhooks(options: WebhooksOptions): Webhooks {
  const { appliance, keepPlaces, log, onAppended, place, reporter, webhooks, ...rest } = options;
  const senders: WebhookSender[] = [];
  for (const config of webhooks) {
    const part = PREFIX + config.name;
    const report = reporter(part);
    const own = place(part);
    if (config.secret === undefined) {
      // Unsigned requests are none that a receiver could trust. Its events wait in the buffer.
      report('down', `no secret is set: nothing is sent; write it into uplink.webhooks (${config.name})`);
      continue;
    }
    const source = sourceOf(appliance);
    senders.push(
      new WebhookSender({
        ...rest,
        ...own,
        config,
        source,
        report,
        log: log.child({ webhook: config.name }),
      }),
    );
  }
  const stopListening = onAppended((lastId) => {
    for (const sender of senders) sender.wake(lastId);
  });
  for (const sender of senders) sender.start();
  keepPlaces(
    PREFIX,
    webhooks.map(({ name }) => PREFIX + name),
  ).catch((thrown: unknown) => log.debug({ err: thrown }, 'stopped before old places could be given up'));
  return {
    async stop() {
      stopListening();
      await Promise.all(senders.map((sender) => sender.stop()));
    },
  };
}
