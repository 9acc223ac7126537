// Main thread of a plugin's process: starts the worker, passes messages on, watches that the worker's loop turns.
// Plugin code never runs on this thread. Built by itself into a small file (build-host-source.ts); imports no schema.
import { Socket } from 'node:net';
import type { Worker } from 'node:worker_threads';
import Pool from 'worker-threads-pool';
import { createFrameReader, writeFrame } from '../protocol/frames.ts';
import type { FromHost } from '../protocol/from-host.ts';
import type { ToHost } from '../protocol/to-host.ts';

/** What the launcher hands in; 0 to 2 are /dev/null and the log. */
const CHANNEL = 3;
/** Events may carry more than a plugin may say. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const YOUNG_MIB = 1;
const TICK_MS = 500;

const [, file = '', pluginRoot = ''] = process.argv;
const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
const say = (message: FromHost) => writeFrame(channel, message);
const pool = new Pool({ max: 1, maxWaiting: 0 });
let worker: Worker | undefined;
/** null: the worker is not there yet. */
let lastBeat: number | null = null;
let ending = false;
let lastTick = performance.now();
// A tick that comes late: the machine stood still, or this group was held back. That is not the worker's silence.
setInterval(() => {
  const now = performance.now();
  // Not into the future: a beat may have come between the standstill and this tick, and a silence is never negative.
  if (lastBeat !== null) lastBeat = Math.min(now, lastBeat + Math.max(0, now - lastTick - TICK_MS));
  lastTick = now;
}, TICK_MS);

function open(message: Extract<ToHost, { t: 'open' }>): void {
  const options = {
    workerData: { ...message, pluginRoot },
    resourceLimits: { maxOldGenerationSizeMb: message.heapMiB, maxYoungGenerationSizeMb: YOUNG_MIB },
    env: {},
  };
  pool.acquire(file.replace(/host\.cjs$/, 'worker.cjs'), options, (error, started) => {
    if (error !== null) return fail(error);
    worker = started;
    // No code of the plugin runs before; how long that takes is the limit of its start's concern.
    worker.once('online', () => {
      lastBeat = performance.now();
    });
    worker.on('message', (said: FromHost | 'beat') => {
      lastBeat = performance.now();
      if (said === 'beat') return;
      say(said);
    });
    worker.on('error', fail);
    worker.on('exit', (code) => {
      if (!ending) fail(new Error(`the worker ended with ${code}`));
      leave();
    });
  });
}

function fail(cause: Error & { readonly code?: string }): void {
  if (ending) return;
  const what = cause.code === undefined ? '' : `${cause.code}: `;
  say({ t: 'failed', why: `${what}${cause.stack ?? cause.message}`.slice(0, 2_000) });
  leave();
}

function leave(): void {
  ending = true;
  channel.end(() => process.exit(0));
}

function take(message: ToHost): void {
  switch (message.t) {
    case 'open':
      open(message);
      break;
    case 'ping':
      say({
        t: 'pong',
        n: message.n,
        quietMs: lastBeat === null ? 0 : Math.round(performance.now() - lastBeat),
        residentBytes: process.memoryUsage.rss(),
      });
      break;
    case 'terminate':
      ending = true;
      void worker?.terminate();
      if (worker === undefined) leave();
      break;
    case 'stop':
      ending = true;
      worker?.postMessage(message);
      if (worker === undefined) leave();
      break;
    default:
      worker?.postMessage(message);
  }
}

const frames = createFrameReader(MAX_FRAME_BYTES);
channel.on('data', (chunk: Buffer) => {
  const { messages, problem } = frames.take(chunk);
  for (const message of messages) take(message as ToHost);
  // What follows cannot be understood any more.
  if (problem !== null) fail(new Error(`a message of the appliance is ${problem}`));
});
// The daemon is gone: nobody is there to work for.
channel.on('close', () => process.exit(0));
channel.on('error', () => process.exit(0));
say({ t: 'opened' });
