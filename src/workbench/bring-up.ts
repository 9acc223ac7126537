// Redis, then the broker, then the daemon: each answers before the next one starts.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { daemonNodeFlags } from '../lib/daemon-node-flags.ts';
import { chooseBus } from './choose-bus.ts';
import { condenseLogLine } from './condense-log-line.ts';
import type { Crew } from './crew.ts';
import { daemonConfig, spoolFileOf } from './daemon-config.ts';
import { choosePort, listens, mosquittoConfig, redisAnswers, redisCommand } from './servers.ts';
import type { StartOptions } from './start-options.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export interface Places {
  readonly root: string;
  /** Kept between runs. */
  readonly stateDir: string;
  /** Of this run alone. */
  readonly runDir: string;
  readonly bundle: string;
}

export async function bringUp(crew: Crew, options: StartOptions, places: Places): Promise<void> {
  prepareState(places.stateDir, options.fresh);
  const redisSocket = await startRedis(crew, places);
  const brokerPort = await startBroker(crew, places);
  await startDaemon(crew, options, { ...places, redisSocket, brokerPort });
  crew.say(`runs until Ctrl-C; events are kept in ${places.stateDir}`);
}

function prepareState(stateDir: string, fresh: boolean): void {
  const kept = ['redis', 'appliance'].map((name) => path.join(stateDir, name));
  if (fresh)
    for (const dir of [...kept, path.join(stateDir, 'sys')]) rmSync(dir, { recursive: true, force: true });
  for (const dir of kept) mkdirSync(dir, { recursive: true });
}

async function startRedis(crew: Crew, { root, stateDir, runDir }: Places): Promise<string> {
  const socket = path.join(runDir, 'redis.sock');
  const redis = crew.launch({
    name: 'redis-server',
    command: redisCommand(root, path.join(stateDir, 'redis'), socket),
    stopWithinMs: 10_000,
  });
  await waitUntilReady(redis, () => redisAnswers(socket), crew.signal);
  crew.say(`redis-server answers on ${socket}`);
  return socket;
}

async function startBroker(crew: Crew, { runDir }: Places): Promise<number> {
  const port = await choosePort(0);
  const file = path.join(runDir, 'mosquitto.conf');
  writeFileSync(file, mosquittoConfig(port, process.getuid?.() === 0));
  const broker = crew.launch({ name: 'mosquitto', command: ['mosquitto', '-c', file], stopWithinMs: 5_000 });
  await waitUntilReady(broker, () => listens(port), crew.signal);
  crew.say(`mosquitto listens on 127.0.0.1:${port}`);
  return port;
}

async function startDaemon(
  crew: Crew,
  options: StartOptions,
  places: Places & { readonly redisSocket: string; readonly brokerPort: number },
): Promise<void> {
  const bus = chooseBus(options, places.root);
  crew.say(bus.about);
  if (bus.simulation !== null) writeFileSync(spoolFileOf(places.runDir), '');
  const pagePort = options.port ?? (await choosePort(8480));
  const config = daemonConfig({ ...places, hostname: hostname(), pagePort, simulation: bus.simulation });
  const file = path.join(places.stateDir, 'autoweave.json');
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  const insecure = options.insecurePlugins ? ['--insecure-plugins'] : [];
  const daemon = crew.launch({
    name: 'autoweave',
    command: [process.execPath, ...daemonNodeFlags, places.bundle, 'daemon', '--config', file, ...insecure],
    stopWithinMs: 8_000,
    onLine(line) {
      const shown = condenseLogLine(line);
      if (shown !== null) console.log(`autoweave: ${shown}`);
    },
  });
  const page = `http://127.0.0.1:${pagePort}/`;
  await waitUntilReady(daemon, () => answers(`${page}health`), crew.signal);
  crew.say(`the page:   ${page}`);
  const code = claimCodeIn(places.runDir);
  if (code !== null) crew.say(`claim it:   with the code ${code}`);
  // By its path: the first `node` of the user's own PATH may be another version.
  const program = [process.execPath, places.bundle].map((file) => shortest(file)).join(' ');
  crew.say(`the commands: export AUTOWEAVE_SOCKET=${places.runDir}/control.sock; ${program} status`);
  crew.say(`the events: mosquitto_sub -h 127.0.0.1 -p ${places.brokerPort} -t 'autoweave/v1/#' -v`);
}

function shortest(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative;
}

/** null: it has an administrator. */
function claimCodeIn(runDir: string): string | null {
  const file = path.join(runDir, 'claim-code');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return true;
  } catch {
    // Not listening yet.
    return false;
  }
}
