// What can go wrong with a Redis and its files. Each fault breaks the running store of a rig, and ends what caused it.
import { appendFile, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import type { Rig } from '../rig.ts';

export interface Fault {
  readonly name: string;
  /** The broker is away meanwhile, so that the store holds what nobody else has. */
  readonly withBacklog: boolean;
  /** On a disk of its own of so many MB; null: on the usual one. */
  readonly diskMiB: number | null;
  /** Sets in, lasts, and is over when it resolves: what follows is recovery. */
  run(store: FaultyStore): Promise<void>;
}

export interface FaultyStore {
  readonly rig: Rig;
  /** As a user that may do everything. */
  admin(...words: readonly string[]): Promise<unknown>;
  /** Kills Redis, changes its files, and lets it be started again. */
  whileDead(change: () => Promise<void>): Promise<void>;
  /** Health of the buffer, as the daemon says it. */
  health(): Promise<string>;
}

/** Longer than the daemon waits for an answer. */
const HUNG_MS = 8_000;
const SLOW_MS = 6_000;
const SAID_LIMIT_MS = 60_000;

const untilTold = ({ health }: FaultyStore) =>
  until('the health says so', async () => !(await health()).startsWith('ok'), SAID_LIMIT_MS);

async function logFile({ redis }: Rig, ending: string): Promise<string> {
  const folder = path.join(redis.dir, 'appendonlydir');
  const name = (await readdir(folder)).find((one) => one.endsWith(ending));
  if (name === undefined) throw new Error(`there is no ${ending} in ${folder}`);
  return path.join(folder, name);
}

/** Overwrites a byte that `find` finds in the last third of the log, where the events are that nobody else has. */
async function changeByte(rig: Rig, find: (log: Buffer, from: number) => number): Promise<void> {
  const file = await logFile(rig, '.incr.aof');
  const log = await readFile(file);
  const at = find(log, Math.floor((log.length * 3) / 4));
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from([(log[at] ?? 0) ^ 1]), 0, 1, at);
  await handle.close();
}

const onTheDisk = { withBacklog: true, diskMiB: null };
const besides = { withBacklog: false, diskMiB: null };

export const faults: readonly Fault[] = [
  { name: 'dead (SIGKILL)', ...besides, run: ({ whileDead }) => whileDead(async () => undefined) },
  {
    name: `hung (SIGSTOP for ${HUNG_MS / 1_000} s)`,
    ...besides,
    async run(store) {
      await store.rig.redis.kill('SIGSTOP');
      await Promise.all([untilTold(store), delay(HUNG_MS)]);
      await store.rig.redis.kill('SIGCONT');
    },
  },
  {
    name: 'slow (each write 400 ms)',
    ...besides,
    async run({ admin }) {
      for (const end = performance.now() + SLOW_MS; performance.now() < end; ) {
        await admin('CLIENT', 'PAUSE', '400', 'WRITE');
        await delay(420);
      }
    },
  },
  {
    name: 'out of memory',
    ...besides,
    async run(store) {
      await store.admin('CONFIG', 'SET', 'maxmemory', '900kb');
      await untilTold(store);
      await delay(1_000);
      await store.admin('CONFIG', 'SET', 'maxmemory', '0');
    },
  },
  {
    name: 'disk full',
    withBacklog: false,
    diskMiB: 24,
    async run(store) {
      const filler = path.join(path.dirname(store.rig.redis.dir), 'filler');
      const fill = async () => {
        try {
          for (;;) await appendFile(filler, Buffer.alloc(4_096));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      };
      await fill();
      await untilTold(store);
      // redis-run gives up its reserve, and that is taken away too.
      await fill();
      await delay(3_000);
      await rm(filler);
    },
  },
  {
    name: 'log torn: half a command more',
    ...onTheDisk,
    run: ({ rig, whileDead }) =>
      whileDead(async () =>
        appendFile(await logFile(rig, '.incr.aof'), '*6\r\n$4\r\nXADD\r\n$9\r\naw:events\r\n$5\r\n1-9'),
      ),
  },
  {
    name: 'log torn: its last 2 KB are missing',
    ...onTheDisk,
    run: ({ rig, whileDead }) =>
      whileDead(async () => {
        const file = await logFile(rig, '.incr.aof');
        await truncate(file, (await readFile(file)).length - 2_048);
      }),
  },
  {
    name: 'a byte changed inside an event',
    ...onTheDisk,
    run: ({ rig, whileDead }) =>
      whileDead(() => changeByte(rig, (log, from) => log.indexOf('"vendorId"', from) + 3)),
  },
  {
    name: 'a byte changed in the structure of the log',
    ...onTheDisk,
    run: ({ rig, whileDead }) =>
      whileDead(() => changeByte(rig, (log, from) => log.indexOf('\r\n*', from) + 2)),
  },
  {
    name: 'data folder deleted',
    ...onTheDisk,
    run: ({ rig, whileDead }) => whileDead(() => rm(rig.redis.dir, { recursive: true })),
  },
  {
    name: 'log of a later version',
    ...onTheDisk,
    run: ({ rig, whileDead }) =>
      whileDead(async () => writeFile(await logFile(rig, '.base.rdb'), 'REDIS0099 of the future')),
  },
];
