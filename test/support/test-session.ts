// The real MQTT session with everything it says kept.
import type { TestContext } from 'node:test';
import type { UplinkConfig } from '../../src/contracts/config/uplink-config.ts';
import type { Connected } from '../../src/mqtt/mqtt-message.ts';
import {
  type MqttSession,
  type MqttSessionOptions,
  startMqttSession,
} from '../../src/mqtt/start-mqtt-session.ts';
import { fakeClock } from './fake-clock.ts';
import { recordingLog } from './recording-log.ts';
import { seededRandom } from './seeded-random.ts';
import { uplinkConfig } from './test-uplink.ts';
import { until } from './until.ts';

export interface TestSession {
  readonly session: MqttSession;
  readonly log: ReturnType<typeof recordingLog>;
  readonly failures: readonly string[];
  readonly losses: readonly string[];
  readonly connections: readonly Connected[];
  connected(): Promise<Connected>;
  failed(): Promise<string>;
  lost(): Promise<string>;
}

export function startTestSession(
  t: Pick<TestContext, 'after'>,
  config: Partial<UplinkConfig>,
  options: Partial<MqttSessionOptions> = {},
): TestSession {
  const log = recordingLog();
  const failures: string[] = [];
  const losses: string[] = [];
  const connections: Connected[] = [];
  const session = startMqttSession({
    config: uplinkConfig(config),
    clientId: 'acme/lobby/kiosk-1',
    will: () => ({ topic: 'will', payload: '{}' }),
    clock: fakeClock(),
    random: seededRandom(1).next,
    log,
    onConnected: (connected) => void connections.push(connected),
    onLost: (why) => void losses.push(why),
    onFailed: (why) => void failures.push(why),
    ...options,
  });
  t.after(() => session.stop([]));
  return {
    session,
    log,
    failures,
    losses,
    connections,
    connected: () => until('a connection', () => connections.at(-1)),
    failed: () => until('a failed connection', () => failures.at(-1)),
    lost: () => until('a lost connection', () => losses.at(-1)),
  };
}
