// What the drills share: the shipped daemon between a bus of files, a real Redis and a real broker, with taps on both sides, a checker
// in a process of its own, and books on every plug.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { CloudEvent } from '../../src/contracts/event.ts';
import { type Checker, startChecker } from '../support/checker/start-checker.ts';
import { type DaemonOptions, type SpawnedDaemon, spawnDaemon, writeDaemonConfig } from '../support/daemon.ts';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.ts';
import { type MqttRelay, startMqttRelay } from '../support/mqtt-relay.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type RedisTap, startRedisTap } from '../support/redis-tap.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type UsbBus, usbBus } from '../support/usb-bus.ts';
import type { Cleanup } from '../support/with-cleanup.ts';
import { type PlugAccount, startPlugAccount, timeNow } from './plug-account.ts';

export interface Rig {
  readonly dir: string;
  readonly bus: UsbBus;
  readonly redis: TestRedis;
  readonly tap: RedisTap;
  readonly broker: Mosquitto;
  readonly relay: MqttRelay;
  readonly checker: Checker;
  readonly account: PlugAccount;
  /** Of the daemon that runs now, or ran last. */
  readonly daemon: SpawnedDaemon;
  /** Nothing of the old one is left; the bus has a listener again. */
  startDaemon(): void;
  /** At once. */
  killDaemon(): void;
  /** In order (SIGTERM); resolves once it has ended. */
  stopDaemon(): Promise<void>;
  /** Starts and ends of the daemon, with their times. */
  readonly journal: readonly string[];
  spoolBytes(): number;
  /** Daemons that ended though nobody killed them, in words. */
  readonly crashes: readonly string[];
}

export interface RigOptions {
  readonly config?: DaemonOptions['config'];
  /** The store's folder; default: a temporary one. */
  readonly redisDir?: string;
  readonly redisArgs?: readonly string[];
  /** false: the account stays empty; for more events than it can hold. */
  readonly isAccounted?: boolean;
  /** Of the daemon, over the drill's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Nothing is folded or limited: every plug is an event of its own. */
const unlimited = { portEventsPerSecond: 1e6, portBurst: 1e6, eventsPerSecond: 1e6, burst: 1e6 };

/** The daemon is not started yet. */
export async function startRig(t: Cleanup, options: RigOptions = {}): Promise<Rig> {
  const dir = await tempDir(t);
  const spoolFile = path.join(dir, 'spool');
  const bus = usbBus(t, dir, { spoolFile });
  const redis = await startRedis(t, {
    ...(options.redisDir === undefined ? {} : { dir: options.redisDir }),
    ...(options.redisArgs === undefined ? {} : { args: options.redisArgs }),
  });
  const tap = await startRedisTap(t, redis.socket);
  const persistence = ['persistence true', `persistence_location ${dir}/`, 'max_queued_messages 0'];
  const broker = await startMosquitto(t, { config: persistence });
  const relay = await startMqttRelay(t, broker.port);
  const checker = await startChecker(t, broker.url);
  const account = await startPlugAccount(t, options.isAccounted === false ? null : broker.url);
  tap.onAcknowledged = (entries) => {
    for (const { id, crc, json } of entries) checker.acknowledged({ source: sourceOf(json), id, crc });
  };
  const given = options.config ?? {};
  const config = await writeDaemonConfig(dir, {
    redisSocket: tap.socket,
    brokerUrl: relay.url,
    config: {
      ...given,
      // The real monitor's socket goes with its reader; without setpriv an old reader would steal from the new one.
      usb: {
        sysfsRoot: bus.sysfsRoot,
        spoolFile,
        monitorCommand: ['setpriv', '--pdeathsig', 'KILL', ...bus.monitorCommand],
        ...unlimited,
        ...given.usb,
      },
      log: { level: 'info' },
    },
  });
  let daemon: SpawnedDaemon | undefined;
  let isKilled = false;
  const crashes: string[] = [];
  const journal: string[] = [];
  const killDaemon = () => {
    isKilled = true;
    if (daemon?.child.kill('SIGKILL')) journal.push(`daemon killed at ${timeNow()}`);
    bus.setListening(false);
  };
  bus.setListening(false);
  t.after(async () => {
    killDaemon();
    await daemon?.exited;
  });
  return {
    spoolBytes: () => (existsSync(spoolFile) ? statSync(spoolFile).size : 0),
    ...{ dir, bus, journal, redis, tap, broker, relay, checker, account, crashes, killDaemon },
    get daemon() {
      if (daemon === undefined) throw new Error('rig: the daemon has not been started');
      return daemon;
    },
    async stopDaemon() {
      isKilled = true;
      daemon?.child.kill('SIGTERM');
      await daemon?.exited;
      bus.setListening(false);
    },
    startDaemon() {
      bus.setListening(true);
      isKilled = false;
      journal.push(`daemon started at ${timeNow()}`);
      const started = spawnDaemon(config, options.environment);
      daemon = started;
      void started.exited.then((end) => {
        if (started === daemon && !isKilled) crashes.push(`the daemon ended with ${end} by itself`);
      });
    },
  };
}

/** Of an event's JSON, without parsing all of it. */
function sourceOf(json: Buffer): string {
  const found = /"source":"([^"]+)"/.exec(json.toString('utf8', 0, 300));
  return found?.[1] ?? (JSON.parse(json.toString()) as CloudEvent).source;
}
