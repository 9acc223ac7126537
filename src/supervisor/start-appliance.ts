// The composition root: every part is made here, in the order in which it is needed, and stopped in the reverse order.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { openBuffer } from '../buffer/open-buffer.ts';
import type { Config } from '../contracts/config.ts';
import { formatEventId } from '../contracts/event.ts';
import type { HealthReport } from '../contracts/health.ts';
import { sourceOf } from '../contracts/topics.ts';
import { sealEvent } from '../events/seal-event.ts';
import { makeTraceparent } from '../events/traceparent.ts';
import { errorText } from '../lib/error-text.ts';
import { productVersion } from '../lib/product-version.ts';
import { createHealthBoard } from '../status/health-board.ts';
import { type StatusServer, startStatus } from '../status/start-status.ts';
import type { RootLog } from '../telemetry/create-log.ts';
import { createMetrics } from '../telemetry/create-metrics.ts';
import { startUplink, type Uplink } from '../uplink/start-uplink.ts';
import { startWebhooks } from '../uplink/start-webhooks.ts';
import { createApplianceControl } from './appliance-control.ts';
import { startApplianceLeds } from './appliance-leds.ts';
import { consumerPlace } from './consumer-place.ts';
import { feedWatchdog } from './feed-watchdog.ts';
import { createDeviceJudge } from './judge-device.ts';
import { createMachineActs } from './machine-acts.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';
import { startPluginSide } from './plugin-side.ts';
import { reportBootNotes } from './report-boot-notes.ts';
import { reportClock } from './report-clock.ts';
import { reportPorts } from './report-ports.ts';
import { startUsbPolicy } from './start-usb-policy.ts';
import { statusFiles } from './status-files.ts';
import { systemClock } from './system-clock.ts';
import { watchClockSync } from './watch-clock-sync.ts';

/** A broker, a page or a cross-check that is away does not stop the appliance from doing its work. */
const essential = ['usb-monitor', 'buffer'];

const CLOCK_CHECK_MS = 30_000;
const BOOT_NOTES_MS = 30_000;
/** Of a limit of two minutes (rootfs/etc/init.d/watchdog). */
const WATCHDOG_MS = 10_000;

export interface Appliance {
  /** Stops everything within 3 s; what could not be stored is logged. */
  stop(why: string): Promise<void>;
}

export async function startAppliance(options: {
  readonly config: Config;
  readonly log: RootLog;
  /** Whether plugins may run where a layer of their boundary is missing. */
  readonly insecurePlugins: boolean;
  /** Of the programs that are asked for the time; the configuration's secrets are not handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<Appliance> {
  const { config, environment, log } = options;
  const { appliance } = config;
  const { simulated } = config.usb;

  // What every part needs: time, figures, health.
  const clockSync = watchClockSync({ periodMs: CLOCK_CHECK_MS, environment });
  const clock = systemClock(clockSync.isSynced);
  const registry = createMetrics({ version: productVersion, lostLogLines: log.lost });
  const { metrics } = registry;
  const board = createHealthBoard({ clock, simulated, essential });
  const traceparent = () => makeTraceparent(randomBytes);
  await makeDirectory(appliance.stateDir, log);

  // Store.
  const buffer = await openBuffer({
    config: config.buffer,
    markFile: path.join(appliance.stateDir, 'buffer-mark'),
    archiveFolder: path.join(appliance.stateDir, 'archive'),
    seal: (draft, id) =>
      sealEvent(draft, id, { source: sourceOf(appliance), bootId: clock.bootId, simulated }),
    clock,
    metrics: metrics.buffer,
    log: log.child({ part: 'buffer' }),
    report: board.reporter('buffer'),
    traceparent,
  });

  // Decide what may be plugged in. Events before the pipeline runs wait for it.
  let running: Pipeline | undefined;
  const unsaid: ((pipeline: Pipeline) => void)[] = [];
  const usbPolicy = await startUsbPolicy({
    config,
    clock,
    report: board.reporter('usb-rules'),
    say(type, subject, data) {
      if (running === undefined) unsaid.push((pipeline) => pipeline.say(type, subject, data));
      else running.say(type, subject, data);
    },
    rejudge: () => void running?.rejudge(),
  });

  // Watch and make events.
  const stored = buffer.readState();
  let uplink: Uplink | undefined;
  let status: StatusServer | undefined;
  const pipeline = await startPipeline({
    config: config.usb,
    buffer,
    stored,
    clock,
    metrics,
    log,
    traceparent,
    report: board.reporter,
    onDevices() {
      status?.devicesChanged();
      uplink?.publishInventory();
    },
    gatekeeper: usbPolicy.gatekeeper,
  });
  running = pipeline;
  for (const say of unsaid) say(pipeline);
  const ports = reportPorts({
    config: config.usb,
    clock,
    metrics: metrics.usb,
    stored,
    say: pipeline.say,
    report: board.reporter('usb-ports'),
    log: log.child({ part: 'usb' }),
    onChange: () => status?.devicesChanged(),
  });
  clockSync.onAnswer(
    reportClock({
      clock,
      report: board.reporter('clock'),
      onSynchronized: (data) => pipeline.say('system.clock-synchronized', 'system', data),
    }),
  );
  stored.then(
    (fields) => {
      const unclean = fields['system.running'] !== undefined;
      const data = { version: productVersion, node: process.versions.node, unclean };
      pipeline.say('system.started', 'system', data, { 'system.running': clock.bootId });
    },
    // The buffer was stopped before Redis ever answered: nothing of this run could be stored.
    (cause: unknown) => log.warn({ why: errorText(cause) }, 'the start was not recorded'),
  );

  const bootNotes = reportBootNotes({
    file: appliance.bootNotesFile,
    bootId: clock.bootId,
    periodMs: BOOT_NOTES_MS,
    stored,
    say: pipeline.say,
    report: board.reporter('boot'),
    log: log.child({ part: 'boot' }),
  });
  const watchdog =
    appliance.watchdogDevice === undefined
      ? null
      : feedWatchdog({
          device: appliance.watchdogDevice,
          periodMs: WATCHDOG_MS,
          isAlive: () => isWorking(board.report(), ['usb-monitor']),
          report: board.reporter('watchdog'),
          log: log.child({ part: 'watchdog' }),
        });

  // Publish.
  uplink = startUplink({
    config: config.uplink,
    appliance,
    clock,
    random: Math.random,
    metrics: metrics.uplink,
    log: log.child({ part: 'uplink' }),
    report: board.reporter('uplink'),
    ...consumerPlace(buffer, 'uplink', { from: 'start', mayExpire: false }),
    mayPublish: buffer.mayPublish,
    onAppended: buffer.onAppended,
    stateDocument: () => ({ health: board.report(), lastEventId: lastEventId() }),
    inventoryDocument: () => ({ devices: [...pipeline.devices()], lastEventId: lastEventId() }),
    onEvent: ({ type, subject, data }) => pipeline.say(type, subject, data),
    version: productVersion,
    simulated,
  });
  const webhooks = startWebhooks({
    webhooks: config.uplink.webhooks,
    appliance,
    clock,
    random: Math.random,
    metrics: metrics.webhooks,
    log: log.child({ part: 'webhooks' }),
    reporter: board.reporter,
    place: (consumer) => consumerPlace(buffer, consumer, { from: 'start', mayExpire: true }),
    keepPlaces: buffer.keepConsumers,
    mayPublish: buffer.mayPublish,
    onAppended: buffer.onAppended,
    onEvent: ({ type, subject, data }) => pipeline.say(type, subject, data),
  });
  const lastEventId = () => {
    const { lastId } = buffer.depth();
    return lastId === null ? null : formatEventId(lastId);
  };

  // Run plugins.
  const plugins = await startPluginSide({
    ...{ config, buffer, pipeline, uplink, clock, traceparent, log },
    insecurePlugins: options.insecurePlugins,
    random: Math.random,
    metrics: metrics.plugins,
    report: board.reporter('plugins'),
    async api(request, response) {
      if (status === undefined) response.writeHead(503, { 'Retry-After': '1' }).end();
      else await status.handleLocal(request, response);
    },
  });

  // Show, and act on what is asked for.
  const leds = startApplianceLeds({
    ...{ config, clock, plugins: plugins.control, health: board.report },
    report: board.reporter('leds'),
    log: log.child({ part: 'leds' }),
  });
  const control = createApplianceControl({
    ...{ config, clock, version: productVersion, health: board.report, devices: pipeline.devices },
    ...{ usage: buffer.usage, recentLog: log.recent, led: leds.now },
    plugins: () => leds.plugins,
    trust: () => plugins.trust,
    identify: leds.identify,
    verdictAt: (port) => usbPolicy.gatekeeper?.verdictAt(port) ?? null,
    judgeDevice: createDeviceJudge({
      config: config.policy,
      gatekeeper: () => usbPolicy.gatekeeper,
      async obey() {
        await usbPolicy.look();
        await pipeline.rejudge();
      },
    }),
    ...createMachineActs({ config }),
  });
  status = await startStatus({
    config: config.status,
    clock,
    metrics: metrics.status,
    log: log.child({ part: 'status' }),
    report: board.reporter('status'),
    health: board.report,
    isReady: () => isWorking(board.report(), essential),
    devices: pipeline.devices,
    ports: ports.ports,
    simulated,
    version: productVersion,
    appliance,
    metricsText: async () => ({ contentType: registry.contentType, text: await registry.text() }),
    read: buffer.read,
    lastId: () => buffer.depth().lastId,
    onAppended: buffer.onAppended,
    depth: buffer.depth,
    control,
    ...(await statusFiles(config, log, board.reporter)),
  });
  const unwatchHealth = board.onChange(() => {
    uplink.publishState();
    leds.look();
  });
  log.info({ ...appliance, version: productVersion, url: status.url, simulated }, 'watching');

  return {
    async stop(why) {
      clockSync.stop();
      bootNotes.stop();
      unwatchHealth();
      // What they emit while they stop is still stored.
      await plugins.stop();
      usbPolicy.stop();
      await ports.stop();
      await pipeline.stop(why);
      await Promise.all([uplink.stop(), webhooks.stop(), status.stop(), leds.stop()]);
      await buffer.stop();
      registry.stop();
      watchdog?.stop();
    },
  };
}

/** Ready: changes on the bus are seen and stored. A broker that is away does not count: the buffer is for that. */
function isWorking({ parts }: HealthReport, wanted: readonly string[]): true | string {
  for (const part of wanted) {
    const { state, why } = parts[part] ?? { state: 'unknown', why: 'has not reported yet' };
    if (state !== 'ok' && state !== 'degraded') return `${part}: ${why}`;
  }
  return true;
}

/** A missing state folder is made; where it cannot be made, the buffer says so and the appliance goes on. */
async function makeDirectory(dir: string, log: RootLog): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o750 });
  } catch (cause) {
    log.error({ dir, why: errorText(cause) }, 'the state folder cannot be made');
  }
}
