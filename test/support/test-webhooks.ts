// The real webhook sender on an in-memory stream, with everything it says kept.
import type { WebhookConfig } from '../../src/contracts/config/webhook-config.ts';
import type { PartState } from '../../src/contracts/health.ts';
import { startWebhooks, type Webhooks, type WebhooksOptions } from '../../src/uplink/start-webhooks.ts';
import type { WebhookEvent } from '../../src/uplink/uplink-options.ts';
import { appliance, type EventStream, eventStream } from './event-stream.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { recordingLog } from './recording-log.ts';
import { type RecordingMetrics, recordingMetrics } from './recording-metrics.ts';
import { seededRandom } from './seeded-random.ts';
import { until } from './until.ts';
import { webhookSecret } from './webhook-receiver.ts';
import type { Cleanup } from './with-cleanup.ts';

export interface TestWebhooks {
  readonly webhooks: Webhooks;
  readonly stream: EventStream;
  readonly clock: FakeClock;
  readonly metrics: RecordingMetrics;
  readonly log: ReturnType<typeof recordingLog>;
  readonly said: readonly WebhookEvent[];
  readonly health: readonly { readonly part: string; readonly state: PartState; readonly why: string }[];
  drained(): Promise<void>;
  /** Resolves with the reason once the part has reported this state. */
  reported(state: PartState, why: RegExp): Promise<string>;
}

export function webhookConfig(config: Partial<WebhookConfig> & { readonly url: string }): WebhookConfig {
  return {
    name: 'till',
    secret: webhookSecret,
    types: ['*'],
    timeoutMs: 5_000,
    maxInFlight: 1,
    allowPlainHttp: false,
    backoffMinMs: 10,
    backoffMaxMs: 50,
    ...config,
  };
}

export function startTestWebhook(
  t: Cleanup,
  config: Partial<WebhookConfig> & { readonly url: string },
  options: Partial<WebhooksOptions> & { readonly stream?: EventStream; readonly clock?: FakeClock } = {},
): TestWebhooks {
  const { stream = eventStream(), clock = fakeClock(), ...rest } = options;
  const metrics = recordingMetrics();
  const log = recordingLog();
  const said: WebhookEvent[] = [];
  const health: { part: string; state: PartState; why: string }[] = [];
  const webhooks = startWebhooks({
    webhooks: [webhookConfig(config)],
    appliance,
    clock,
    random: seededRandom(1).next,
    metrics: metrics.webhooks,
    log,
    reporter: (part) => (state, why) => void health.push({ part, state, why }),
    place: () => ({ read: stream.read, cursor: stream.cursor }),
    keepPlaces: async () => undefined,
    mayPublish: async () => undefined,
    onAppended: stream.onAppended,
    onEvent: (event) => void said.push(event),
    ...rest,
  });
  t.after(() => webhooks.stop());
  return {
    webhooks,
    stream,
    clock,
    metrics,
    log,
    said,
    health,
    async drained() {
      await until(
        'the cursor is at the last event',
        () => stream.cursor.position.number === stream.lastId.number,
      );
    },
    async reported(state, why) {
      const found = () => health.findLast((report) => report.state === state && why.test(report.why));
      return (await until(`health ${state} ${String(why)}`, found)).why;
    },
  };
}
