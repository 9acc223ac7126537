// Events, state and inventory -> the central broker, as long as the daemon runs. Runs on the daemon's thread.
import { START } from '../contracts/event.ts';
import type { PluginStatus } from '../contracts/plugin-status.ts';
import { topicsOf } from '../contracts/topics.ts';
import { createRateLimit } from '../lib/rate-limit.ts';
import type { MqttMessage } from '../mqtt/mqtt-message.ts';
import { startMqttSession } from '../mqtt/start-mqtt-session.ts';
import { createDocumentMaker } from './document-maker.ts';
import { LiveUplink, type UplinkMemory } from './live-uplink.ts';
import type { UplinkOptions } from './uplink-options.ts';

export interface Uplink {
  /** The health has changed; published within a second, if there is a connection. */
  publishState(): void;
  /** The list of devices has changed; likewise. */
  publishInventory(): void;
  /** How a plugin is, retained; null: it is gone. Told again after every connect. */
  publishPlugin(name: string, status: PluginStatus | null): void;
  /** A plugin's own message, now or not at all. Resolves with null once the broker has it, else with why not. */
  publishPluginMessage(message: PluginMessage): Promise<NotPublished | null>;
  /** Waits for outstanding PUBACKs, says `stopped`, disconnects; done within 2 s whatever the broker does. */
  stop(): Promise<void>;
}

export interface PluginMessage {
  readonly plugin: string;
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

export interface NotPublished {
  readonly code: 'mqtt.offline' | 'mqtt.busy' | 'mqtt.refused';
  readonly reason: string;
}

const noBroker: NotPublished = { code: 'mqtt.offline', reason: 'there is no connection to a broker now' };

export function startUplink(options: UplinkOptions): Uplink {
  const { appliance, clock, config, log, metrics, onEvent, random, report } = options;
  metrics.connected.set(0);
  if (config.url === null) {
    report('degraded', 'no broker configured: events stay in the buffer; set uplink.url');
    return {
      publishState: () => undefined,
      publishInventory: () => undefined,
      publishPlugin: () => undefined,
      publishPluginMessage: async () => noBroker,
      stop: async () => undefined,
    };
  }

  const topics = topicsOf(appliance);
  const maker = createDocumentMaker(options);
  const offline = (reason: 'lost' | 'stopped') => ({
    topic: topics.state,
    payload: JSON.stringify(maker.offline(reason)),
  });
  const memory: UplinkMemory = {
    highest: START,
    skippedUpTo: START,
    limit: createRateLimit({ perSecond: config.drainEventsPerSecond, clock }),
    plugins: new Map(),
  };
  let live: LiveUplink | null = null;
  let connectedMs = 0;

  report('unknown', 'not connected to the broker yet');
  const session = startMqttSession({
    config,
    clientId: config.clientId ?? `${appliance.tenant}/${appliance.site}/${appliance.name}`,
    will: () => offline('lost'),
    clock,
    random,
    log,
    onConnected(connected) {
      connectedMs = clock.uptimeMs();
      metrics.connected.set(1);
      metrics.connects.add(1);
      log.info({ broker: session.shownAddress, ...connected }, 'connected to the broker');
      live = new LiveUplink({ uplink: options, session, connected, memory });
      live.start();
      const { protocolVersion, receiveMaximum, sessionPresent } = connected;
      const data = { protocolVersion, receiveMaximum, sessionPresent };
      onEvent({ type: 'uplink.connected', subject: 'uplink', data });
    },
    onLost(why) {
      live?.end();
      live = null;
      metrics.connected.set(0);
      metrics.inFlight.set(0);
      report('down', `connection to ${session.shownAddress} lost: ${why}`);
      log.warn({ broker: session.shownAddress, why }, 'connection to the broker lost');
      const connectedSeconds = (clock.uptimeMs() - connectedMs) / 1_000;
      onEvent({ type: 'uplink.lost', subject: 'uplink', data: { why, connectedSeconds } });
    },
    onRefused(count) {
      metrics.inboundRefused.add(count);
      log.warn({ count, perSecond: config.inboundPerSecond }, 'the broker sends too many messages: refused');
      live?.flooded(count);
    },
    onFailed(why) {
      report('down', why);
      log.warn({ broker: session.shownAddress, why }, 'no connection to the broker');
    },
  });

  return {
    publishState: () => live?.publishState(),
    publishInventory: () => live?.publishInventory(),
    publishPlugin(name, status) {
      memory.plugins.set(name, status);
      live?.publishPlugin(name);
    },
    publishPluginMessage: async (message) => live?.publishPluginMessage(message) ?? noBroker,
    async stop() {
      live?.end();
      live = null;
      const death: MqttMessage = {
        ...offline('stopped'),
        qos: 1,
        retain: true,
        contentType: 'application/json',
      };
      await session.stop([death]);
      metrics.connected.set(0);
    },
  };
}
