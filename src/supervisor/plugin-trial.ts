// `autoweave plugin dev|test DIR`: an author's folder -> built, signed with a key of the moment, run as on the appliance, with events
// of simulated devices. Needs no daemon, no Redis, no broker; says which layers of the boundary this computer lacks.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { verifyBundle } from '../bundle/verify-bundle.ts';
import { buildPlugin } from '../cli/plugin/build-plugin.ts';
import { doubtfulSubscriptions } from '../cli/plugin/doubtful-subscriptions.ts';
import { parseSourceMap, toSourcePlaces } from '../cli/plugin/source-map.ts';
import { sealEvent } from '../events/seal-event.ts';
import { makeTraceparent } from '../events/traceparent.ts';
import { AppError } from '../lib/app-error.ts';
import { PluginShelf } from '../plugins/control/plugin-shelf.ts';
import { hostSource } from '../plugins/host/host-source.ts';
import { openRegistry } from '../plugins/registry/open-registry.ts';
import { openValidatedBundles } from '../plugins/registry/validated-bundles.ts';
import { openBoundary } from '../plugins/sandbox/open-boundary.ts';
import type { PluginWorld } from '../plugins/supervise/plugin-world.ts';
import { newSecretKey } from '../trust/secret-key.ts';
import { signContent } from '../trust/sign-content.ts';
import { signersOf } from '../trust/signers.ts';
import { systemClock } from './system-clock.ts';
import { type TrialEvent, toDraft } from './trial-devices.ts';
import { readTrialInput, type TrialInput } from './trial-input.ts';
import { createTrialStream, type TrialStream } from './trial-stream.ts';
import { createTrialVoice } from './trial-voice.ts';
import { readFolderState, watchSaves } from './watch-saves.ts';

const EVENT_PAUSE_MS = 2_000;
const TEST_LIMIT_MS = 60_000;

interface Trial {
  readonly shelf: PluginShelf;
  readonly stream: TrialStream;
  /** Builds DIR and puts it in the place of what runs. Resolves with the plugin's name, or null after saying what is wrong. */
  load(dir: string): Promise<string | null>;
  /** With the places of the author's source in what is said. */
  say(text: string): void;
  /** Resolves with its number. */
  give(event: TrialEvent): Promise<number>;
  end(): Promise<void>;
}

export async function runPluginTrial(argv: readonly string[]): Promise<number> {
  const [verb, ...args] = argv;
  // `| head` closes the pipe early: that is no failure, and what was started is ended all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', nothing);
  try {
    const { dir, events, settings } = await readTrialInput(args);
    const trial = await openTrial(settings);
    try {
      return verb === 'dev' ? await develop(trial, dir, events) : await tryOnce(trial, dir, events);
    } finally {
      await trial.end();
    }
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    complain(`${cause.code}: ${cause.message}`);
    if (cause.code !== 'cli.usage') return 1;
    complain(`Usage: autoweave plugin ${verb} [DIR] [--events FILE] [--settings FILE]`);
    return 2;
  }
}

type Settings = TrialInput['settings'];

async function openTrial(settings: Settings): Promise<Trial> {
  const dir = await mkdtemp(path.join(tmpdir(), 'autoweave-trial-'));
  const clock = systemClock(() => true);
  const key = await newSecretKey({ seed: randomBytes(32), id: randomBytes(8) });
  const voice = createTrialVoice((text) => void process.stdout.write(`${text}\n`));
  const { say } = voice;
  const traceparent = () => makeTraceparent(randomBytes);
  const sealing = { source: 'urn:autoweave:desk:desk:desk', bootId: clock.bootId, simulated: true };
  const stream = createTrialStream((draft, id) => sealEvent(draft, id, sealing), voice.tellEvent);
  const boundary = await openBoundary({
    runDir: dir,
    hostSource: hostSource(),
    uid: process.getuid?.() ?? 0,
  });
  for (const layer of boundary.missing) say(`INSECURE on this computer: ${layer}`);
  const quiet = { debug: nothing, info: nothing, warn: nothing, error: voice.tellFacts, child: () => quiet };
  const world: PluginWorld = {
    config: { settings: {}, mostPlugins: 1, recycleAfterEvents: 0, recycleAtMemoryPercent: 0 },
    registry: openRegistry(path.join(dir, 'plugins')),
    bundles: await openValidatedBundles({
      dir: path.join(dir, 'code'),
      verify: ({ bytes, signatureText }, nowMs) =>
        verifyBundle(bytes, signatureText, signersOf([key.public]), nowMs),
      trustKey: async () => 'desk',
    }),
    ...{ boundary, insecure: true, disk: null, sysfsRoot: '/sys', devRoot: '/dev' },
    ...{ read: stream.read, append: stream.append, onAppended: stream.onAppended },
    ...{ openConsumer: stream.openConsumer, removeConsumer: async () => undefined },
    provenMs: async () => 0,
    ...{ clock, random: Math.random, traceparent, log: quiet },
    say: (type, _subject, data) => voice.tell(type, data),
    async publish(_name, topic, payload) {
      say(`mqtt ${topic}: ${payload}`);
      return null;
    },
    installed: () => new Map(),
    onLog: (_name, line) => voice.tellLine(line),
    onChange: nothing,
  };
  let shelf: PluginShelf | null = null;
  const shelfFor = (name: string) => {
    const config = { ...world.config, settings: { [name]: settings } };
    shelf ??= new PluginShelf({ ...world, config });
    return shelf;
  };
  return {
    stream,
    say,
    get shelf() {
      return shelf ?? shelfFor('');
    },
    async load(folder) {
      const built = await buildPlugin(folder);
      const { name, subscriptions } = built.manifest;
      for (const doubt of doubtfulSubscriptions(subscriptions)) say(`warning: ${doubt}`);
      // What the version before still says may get the places of this one.
      voice.useSource(toSourcePlaces(parseSourceMap(built.sourceMap, folder), folder));
      const signature = await signContent(built.bytes, key, 'trial');
      const act = await shelfFor(name).install(built.bytes, signature);
      if (act.ok) return name;
      say(`${act.code}: ${act.reason}`);
      return null;
    },
    async give(event) {
      const [id] = await stream.append([toDraft(event, clock.now(), traceparent())]);
      return id?.number ?? 0;
    },
    async end() {
      await shelf?.stopAll();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Until Ctrl-C: loads again after each save, gives the events one after the other, over and over. */
async function develop(trial: Trial, dir: string, events: readonly TrialEvent[]): Promise<number> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  process.stdout.once('error', () => ending.abort());
  const load = async () => {
    try {
      await trial.load(dir);
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      trial.say(`${cause.code}: ${cause.message}`);
    }
  };
  // Before the first build: a save during it counts.
  const seen = await readFolderState(dir);
  await load();
  const watching = watchSaves(dir, seen, {
    signal: ending.signal,
    async onSaved(file) {
      trial.say(`${file} was saved: building again`);
      await load();
    },
  });
  trial.say(`watching ${dir}; Ctrl-C ends`);
  for (let turn = 0; !ending.signal.aborted && events.length > 0; turn += 1) {
    const event = events[turn % events.length];
    if (event !== undefined) await trial.give(event);
    await delay(EVENT_PAUSE_MS, undefined, { signal: ending.signal }).catch(nothing);
  }
  await watching;
  return 0;
}

/** 0: it started, handled every event and broke no rule. */
async function tryOnce(trial: Trial, dir: string, events: readonly TrialEvent[]): Promise<number> {
  const name = await trial.load(dir);
  if (name === null) return 1;
  const status = async () => (await trial.shelf.list()).find((plugin) => plugin.name === name);
  const first = await status();
  if (first?.state !== 'running') {
    trial.say(`FAILED: it is ${first?.state}: ${first?.reason}`);
    return 1;
  }
  for (const event of events) await trial.give(event);
  const end = performance.now() + TEST_LIMIT_MS;
  // A mark of the trial's own at the end of the stream: when it is passed, everything before it is done.
  const lastNumber = await trial.give({
    ...{ type: 'system.stopping', subject: 'system', data: { why: 'the trial is over' } },
  });
  for (;;) {
    const now = await status();
    if (now === undefined) return 1;
    if (now.position !== null && number(now.position) >= lastNumber) break;
    // One that throws goes on to the next event; one that ends its process would take a minute for each.
    if (now.state === 'blocked' || performance.now() > end) break;
    if (now.parked > 0 && now.state !== 'running') break;
    await delay(50);
  }
  const last = await status();
  const isGood = last?.state === 'running' && last.parked === 0 && last.violations === 0;
  trial.say(
    `${isGood ? 'ok' : 'FAILED'}: ${last?.delivered} events handled, ${last?.emitted} emitted, ${last?.parked} put aside, ${last?.violations} violations; it is ${last?.state}`,
  );
  return isGood ? 0 : 1;
}

function number(id: string): number {
  return Number(id.split('-')[1]);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

function nothing(): void {
  // Nobody listens at a desk.
}
