// The worker thread: imports the plugin's module, starts it, hands it events. Everything here shares the thread with the plugin's
// code, which may change it at will: nothing that this file does is a boundary.
import { parentPort, workerData } from 'node:worker_threads';
import type { Plugin, PluginEvent } from '../../../plugins/api/plugin-api.ts';
import type { FromHost } from '../protocol/from-host.ts';
import type { ToHost } from '../protocol/to-host.ts';
import { createEventLanes } from './event-lanes.ts';
import { makeContext } from './make-context.ts';
import { createRequests } from './requests.ts';
import { createSerialSide } from './serial-streams.ts';

const BEAT_MS = 1_000;
const WHY_MAX = 2_000;

type Opening = Extract<ToHost, { t: 'open' }> & { readonly pluginRoot: string };

async function run({ config, entry, name, pluginRoot, tries, version }: Opening): Promise<void> {
  const say = (message: FromHost | 'beat') => parentPort?.postMessage(message);
  const ending = new AbortController();
  const requests = createRequests(say);
  const serial = createSerialSide(requests);
  const context = makeContext({ name, version, config, requests, serial, say, signal: ending.signal });
  let plugin: Plugin = {};
  const lanes = createEventLanes({
    tries,
    laneOf: ({ subject }) => (plugin.parallel === 'subjects' ? subject : ''),
    handle: (event) => plugin.onEvent?.(event, context),
    onDone: (n) => say({ t: 'ack', n }),
    onRefused: (n, tried, cause) => say({ t: 'refuse', n, tries: tried, why: textOf(cause) }),
  });
  const stop = async () => {
    ending.abort();
    await lanes.idle();
    await plugin.stop?.(context);
    say({ t: 'stopped' });
    // Gives the last message a turn of the loop to leave.
    setImmediate(() => process.exit(0));
  };

  parentPort?.on('message', (message: ToHost) => {
    switch (message.t) {
      case 'event':
        lanes.take(message.n, JSON.parse(message.json) as PluginEvent);
        break;
      case 'answer':
        requests.take(message);
        break;
      case 'serial-data':
      case 'serial-closed':
        serial.take(message);
        break;
      case 'stop':
        stop().catch(fail);
        break;
      default:
        break;
    }
  });
  setInterval(() => say('beat'), BEAT_MS);
  const module = (await import(`${pluginRoot}/${entry}`)) as { readonly default?: Plugin };
  if (typeof module.default !== 'object' || module.default === null)
    throw new Error(`${entry} has no default export; it must be what definePlugin() returns`);
  plugin = module.default;
  await plugin.start?.(context);
  say({ t: 'running' });
}

/** As an error of the thread it reaches the host, with its stack. */
function fail(cause: unknown): never {
  throw cause instanceof Error ? cause : new Error(String(cause));
}

function textOf(cause: unknown): string {
  return (cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)).slice(0, WHY_MAX);
}

run(workerData as Opening).catch((cause: unknown) => {
  setImmediate(() => fail(cause));
});
