// Plugins and their administration, joined with the rest of the appliance. Without them the appliance goes on.
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { EventBuffer } from '../buffer/open-buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { PluginMetrics } from '../contracts/metrics.ts';
import type { PluginControl } from '../contracts/plugin-status.ts';
import type { TrustControl } from '../contracts/trust-control.ts';
import { errorText } from '../lib/error-text.ts';
import { type Plugins, startPlugins } from '../plugins/start-plugins.ts';
import { type ControlOptions, type ControlServer, startControl } from '../status/start-control.ts';
import type { Uplink } from '../uplink/start-uplink.ts';
import type { Pipeline } from './pipeline.ts';
import { openPluginTrust } from './plugin-trust.ts';

export interface PluginSide {
  /** null: they cannot run here. */
  readonly control: PluginControl | null;
  readonly trust: TrustControl;
  stop(): Promise<void>;
}

export async function startPluginSide(options: {
  readonly config: Config;
  readonly insecurePlugins: boolean;
  readonly buffer: EventBuffer;
  readonly pipeline: Pick<Pipeline, 'say'>;
  readonly uplink: Uplink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly traceparent: () => string;
  readonly metrics: PluginMetrics;
  readonly log: Log;
  readonly report: ReportHealth;
  /** The API, for who may open the control socket. */
  readonly api: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}): Promise<PluginSide> {
  const { buffer, clock, config, pipeline, random, report, traceparent, uplink } = options;
  const { runDir, stateDir } = config.appliance;
  const log = options.log.child({ part: 'plugins' });
  let plugins: Plugins | null = null;
  const trust = openPluginTrust(stateDir, async ({ before, version }) => {
    log.info({ version, before }, 'another trust document is in force');
    pipeline.say('security.trust-changed', 'trust', { version, previous: before });
    await plugins?.trustChanged();
  });
  try {
    plugins = await startPlugins({
      ...{ config: config.plugins, stateDir, runDir, clock, random, traceparent, log, report },
      ...{ insecure: options.insecurePlugins, uid: process.getuid?.() ?? 0, metrics: options.metrics },
      ...{ read: buffer.read, append: buffer.append, onAppended: buffer.onAppended },
      ...{ openConsumer: buffer.openConsumer, removeConsumer: buffer.removeConsumer },
      ...{ sysfsRoot: config.usb.sysfsRoot, say: pipeline.say },
      verify: trust.verify,
      trustKey: trust.key,
      provenMs: trust.provenMs,
      publish: (plugin, topic, payload, retain) =>
        uplink.publishPluginMessage({ plugin, topic, payload, retain }),
      onStatus: (name, status) => uplink.publishPlugin(name, status),
    });
  } catch (cause) {
    report('down', `plugins cannot run: ${errorText(cause)}; appliance.runDir must be writable`);
    log.error({ runDir, why: errorText(cause) }, 'plugins cannot run');
  }
  const control = await openControl({ socket: path.join(runDir, 'control.sock'), api: options.api }, log);
  return {
    control: plugins?.control ?? null,
    trust: trust.control,
    async stop() {
      await Promise.all([control?.stop(), plugins?.stop()]);
    },
  };
}

/** null: it cannot be administered here; everything else goes on. */
async function openControl(options: ControlOptions, log: Log): Promise<ControlServer | null> {
  const { socket } = options;
  try {
    return await startControl(options);
  } catch (cause) {
    log.error(
      { socket, why: errorText(cause) },
      'the control socket cannot be made: `autoweave plugin` will not work',
    );
    return null;
  }
}
