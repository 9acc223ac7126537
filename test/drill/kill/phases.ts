// At which points a kill strikes: seen from outside, by the bytes that pass between the daemon, Redis and the broker and by the files
// that change. Nothing in the product knows of them.
import { existsSync, type FSWatcher, mkdirSync, watch } from 'node:fs';
import path from 'node:path';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Rig } from '../rig.ts';

export const phases = [
  'append',
  'fsync',
  'publish',
  'puback',
  'cursor write',
  'trim',
  'segment write',
  'mark write',
  'start',
] as const;
export type Phase = (typeof phases)[number];

/** Before it is sent; right after it was sent; after the answer came and before it is passed on. */
export type Moment = 'before' | 'after' | 'answered';

export interface Strike {
  /** Resolves when it has struck. */
  readonly done: Promise<void>;
  /** Stops waiting. */
  cancel(): void;
}

/**
 * Calls `kill` synchronously at the point: at the `skip`th time that it comes by.
 * `start` is not among them: it has no bytes to go by.
 */
export function strikeAt(
  rig: Rig,
  phase: Exclude<Phase, 'start'>,
  options: {
    readonly moment: Moment;
    readonly skip: number;
    readonly random: SeededRandom;
    readonly kill: () => void;
  },
): Strike {
  const { moment, random, kill } = options;
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = options.skip;
  let watcher: FSWatcher | undefined;
  const cancel = () => {
    for (const hook of ['beforeRequest', 'afterRequest', 'beforeReply'] as const) rig.tap[hook] = null;
    for (const hook of ['before', 'after'] as const) rig.relay[hook] = null;
    watcher?.close();
  };
  /** true: struck. */
  const hit = (isThere: boolean): boolean => {
    if (!isThere) return false;
    left -= 1;
    if (left >= 0) return false;
    kill();
    cancel();
    resolve();
    return true;
  };
  const atRequest = (isIt: Parameters<typeof onRequest>[1]) => onRequest(rig, isIt, moment, hit);
  const atFile = (folder: string, isIt: (name: string) => boolean) => {
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
    watcher = watch(folder, (_kind, name) => {
      if (!isIt(name ?? '')) return;
      // The write, its fsync and the rename lie a few milliseconds apart.
      const end = performance.now() + random.next() * 3;
      while (performance.now() < end);
      hit(true);
    });
  };
  const { relay } = rig;
  switch (phase) {
    case 'append':
      onRequest(rig, ({ entries }) => entries.length > 0, 'before', hit);
      break;
    case 'fsync':
      onRequest(rig, ({ entries }) => entries.length > 0, moment === 'answered' ? 'answered' : 'after', hit);
      break;
    case 'cursor write':
      atRequest(({ command, key }) => command === 'HSET' && key === 'aw:cursors');
      break;
    case 'trim':
      atRequest(({ command }) => command === 'XTRIM');
      break;
    case 'publish':
    case 'puback':
      if (moment === 'before') relay.before = (packet) => !hit(packet === phase);
      else relay.after = (packet) => void hit(packet === phase);
      break;
    case 'mark write':
      atFile(path.join(rig.dir, 'state'), (name) => name.startsWith('buffer-mark'));
      break;
    case 'segment write':
      atFile(path.join(rig.dir, 'state', 'archive'), () => true);
      break;
  }
  return { done: promise, cancel };
}

type Request = Parameters<NonNullable<Rig['tap']['beforeRequest']>>[0];

function onRequest(
  { tap }: Rig,
  isIt: (request: Request) => boolean,
  moment: Moment,
  hit: (isThere: boolean) => boolean,
): void {
  switch (moment) {
    case 'before':
      tap.beforeRequest = (request) => !hit(isIt(request));
      break;
    case 'after':
      tap.afterRequest = (request) => void hit(isIt(request));
      break;
    case 'answered':
      tap.beforeReply = (request) => !hit(isIt(request));
      break;
  }
}
