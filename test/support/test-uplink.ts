// The real uplink on an in-memory stream, with everything it says kept.
import type { TestContext } from 'node:test';
import type { UplinkConfig } from '../../src/contracts/config/uplink-config.ts';
import type { EventId } from '../../src/contracts/event.ts';
import type { PartState } from '../../src/contracts/health.ts';
import { startUplink, type Uplink } from '../../src/uplink/start-uplink.ts';
import type { UplinkEvent, UplinkOptions } from '../../src/uplink/uplink-options.ts';
import { appliance, type EventStream, eventStream, sampleDevice } from './event-stream.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { recordingLog } from './recording-log.ts';
import { type RecordingMetrics, recordingMetrics } from './recording-metrics.ts';
import { seededRandom } from './seeded-random.ts';
import { until } from './until.ts';

export interface TestUplink {
  readonly uplink: Uplink;
  readonly stream: EventStream;
  readonly clock: FakeClock;
  readonly metrics: RecordingMetrics;
  readonly log: ReturnType<typeof recordingLog>;
  readonly said: readonly UplinkEvent[];
  readonly health: readonly { readonly state: PartState; readonly why: string }[];
  /** Ids that mayPublish was asked for. */
  readonly allowed: readonly EventId[];
  drained(limitMs?: number): Promise<void>;
  /** Resolves with the reason once the part has reported this state. */
  reported(state: PartState, why: RegExp): Promise<string>;
}

export function uplinkConfig(config: Partial<UplinkConfig> = {}): UplinkConfig {
  return {
    url: null,
    protocol: 'auto',
    window: 100,
    keepAliveSeconds: 30,
    sessionExpirySeconds: 3_600,
    connectTimeoutMs: 2_000,
    backoffMinMs: 10,
    backoffMaxMs: 50,
    drainEventsPerSecond: 0,
    inboundPerSecond: 1_000,
    webhooks: [],
    ...config,
  };
}

export function startTestUplink(
  t: Pick<TestContext, 'after'>,
  config: Partial<UplinkConfig>,
  options: Partial<UplinkOptions> & { readonly stream?: EventStream; readonly clock?: FakeClock } = {},
): TestUplink {
  const { stream = eventStream(), clock = fakeClock(), ...rest } = options;
  const metrics = recordingMetrics();
  const log = recordingLog();
  const said: UplinkEvent[] = [];
  const health: { state: PartState; why: string }[] = [];
  const allowed: EventId[] = [];
  const uplink = startUplink({
    config: uplinkConfig(config),
    appliance,
    clock,
    random: seededRandom(1).next,
    metrics: metrics.uplink,
    log,
    report: (state, why) => void health.push({ state, why }),
    read: stream.read,
    cursor: stream.cursor,
    mayPublish: async (id) => void allowed.push(id),
    onAppended: stream.onAppended,
    stateDocument: () => ({ health: { state: 'ok', simulated: false, parts: {} }, lastEventId: null }),
    inventoryDocument: () => ({ devices: [sampleDevice], lastEventId: null }),
    onEvent: (event) => void said.push(event),
    version: '0.0.0-test',
    simulated: false,
    ...rest,
  });
  t.after(() => uplink.stop());
  return {
    uplink,
    stream,
    clock,
    metrics,
    log,
    said,
    health,
    allowed,
    async drained(limitMs) {
      const isDrained = () => stream.cursor.position.number === stream.lastId.number;
      await until('the cursor is at the last event', isDrained, limitMs);
    },
    async reported(state, why) {
      const found = () => health.findLast((report) => report.state === state && why.test(report.why));
      return (await until(`health ${state} ${String(why)}`, found)).why;
    },
  };
}
