// What can go wrong with a Redis, its files and the archive beside it. Each fault breaks the running store of a rig, and ends what caused it.
import { appendFile, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/until.ts';
import type { Rig } from '../rig.ts';

export interface Fault {
  readonly name: string;
  /** The broker is away meanwhile, so that the store holds what nobody else has. */
  readonly withBacklog: boolean;
  /** A disk of so many MB that can be filled, and what lies on it; null: all is on the usual one. */
  readonly disk: { readonly mib: number; readonly holds: 'store' | 'archive' } | null;
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
  readonly archiveFolder: string;
  /** Leaves no byte free on the fault's disk, and may be called again. */
  fillDisk(): Promise<void>;
  /** Takes back what fillDisk() wrote. */
  clearDisk(): Promise<void>;
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

const onTheDisk = { withBacklog: true, disk: null };
const besides = { withBacklog: false, disk: null };

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
    disk: { mib: 24, holds: 'store' },
    async run(store) {
      await store.fillDisk();
      await untilTold(store);
      // redis-run gives up its reserve, and that is taken away too.
      await store.fillDisk();
      await delay(3_000);
      await store.clearDisk();
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
  {
    name: 'disk full while archiving',
    withBacklog: true,
    disk: { mib: 8, holds: 'archive' },
    async run(store) {
      await until(
        'something is in the archive',
        async () => (await readdir(store.archiveFolder).catch(() => [])).length > 0,
        SAID_LIMIT_MS,
      );
      let isOver = false;
      // The room that the archive makes is taken away too.
      const filling = async () => {
        for (; !isOver; await delay(20)) await store.fillDisk();
      };
      const filled = filling();
      await untilTold(store).finally(() => {
        isOver = true;
      });
      await filled;
      await delay(3_000);
      await store.clearDisk();
    },
  },
];
