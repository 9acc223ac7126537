// A guest at work, every write and flush of its data partition recorded; what was acknowledged, published and confirmed meanwhile is
// noted on the host together with the length of the record at that moment. Ends with the plug pulled.
import { copyFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BuiltRoot } from '../../../image/build-root.ts';
import type { Acknowledged } from '../../support/checker/record-lines.ts';
import { dataDisk, hostFromGuest, startGuest } from '../../support/guest.ts';
import { startMosquitto } from '../../support/mosquitto.ts';
import { startMqttRelay } from '../../support/mqtt-relay.ts';
import { until } from '../../support/until.ts';
import type { Cleanup } from '../../support/with-cleanup.ts';
import { followAcknowledged } from '../follow-acknowledged.ts';

/** Something that was so once the record was so long. */
export type Known<T> = T & { readonly position: number };

export interface RecordedRun {
  /** The disk as it was before the first write. */
  readonly diskBefore: string;
  readonly writeLog: string;
  /** Stored and fsynced, as the daemon's event stream showed it to the host. */
  readonly acknowledged: readonly Known<Acknowledged>[];
  /** Ids on their way to the broker, and ids that the broker has confirmed, as they passed on the host. */
  readonly published: readonly Known<{ readonly id: string }>[];
  readonly confirmed: readonly Known<{ readonly id: string }>[];
}

export const guestConfig = (uplinkUrl: string) => ({
  appliance: { tenant: 'acme', site: 'lab', name: 'power' },
  usb: { debounceMs: 0, portBurst: 100_000 },
  buffer: { keepEvents: 20 },
  uplink: { url: uplinkUrl, backoffMinMs: 100, backoffMaxMs: 1_000 },
  status: { listen: '0.0.0.0', public: 'all' },
});

const SCRIPT_LIMIT_MS = 900_000;
const ARRIVAL_LIMIT_MS = 300_000;
const REDIS_KILLS = 4;

export async function recordRun(
  t: Cleanup,
  options: {
    readonly image: BuiltRoot;
    /** Where the disk and the record are kept. */
    readonly dir: string;
    readonly plugs: number;
    readonly say: (line: string) => void;
  },
): Promise<RecordedRun> {
  const { image, dir, plugs, say } = options;
  const writeLog = path.join(dir, 'writes.log');
  const diskBefore = path.join(dir, 'before.img');
  copyFileSync(await dataDisk(dir), diskBefore);
  // QEMU makes no file of its own.
  writeFileSync(writeLog, '');
  const broker = await startMosquitto(t);
  const relay = await startMqttRelay(t, broker.port);
  const position = () => statSync(writeLog).size;
  const acknowledged: Known<Acknowledged>[] = [];
  const published: Known<{ id: string }>[] = [];
  const confirmed: Known<{ id: string }>[] = [];
  relay.before = (packet, id) => {
    if (id !== null) (packet === 'publish' ? published : confirmed).push({ id, position: position() });
    return true;
  };
  const relayPort = new URL(relay.url).port;
  const guest = await startGuest(t, {
    ...{ image, dataDir: dir, writeLog, until: 'daemon' },
    config: guestConfig(`mqtt://${hostFromGuest}:${relayPort}`),
  });
  const following = followAcknowledged(t, guest.statusUrl, (record) =>
    acknowledged.push({ ...record, position: position() }),
  );
  const cycle = async (from: number, count: number) => {
    const script = `node /usr/lib/autoweave-test/plug-cycles.mjs ${count} ${from}`;
    await guest.shell.must(script, SCRIPT_LIMIT_MS);
  };
  const third = Math.ceil(plugs / 3);
  await cycle(1, third);
  await broker.stop();
  await cycle(1 + third, third);
  await broker.restart();
  const last = cycle(1 + 2 * third, third);
  last.catch(() => undefined);
  // While events come: what the old process wrote and did not sync is in the log that the new one loads.
  for (let kill = 0; kill < REDIS_KILLS; kill += 1) {
    await guest.shell.must('sleep 2; kill -KILL $(pidof redis-server)', SCRIPT_LIMIT_MS);
    await guest.shell.must('until pidof redis-server >/dev/null; do sleep 0.2; done', SCRIPT_LIMIT_MS);
  }
  await last;
  await until('the broker has most of it', () => confirmed.length > 4 * third, ARRIVAL_LIMIT_MS);
  await guest.powerCut();
  following.stop();
  say(
    `recorded ${plugs} plugs: ${acknowledged.length} events acknowledged, ${published.length} published, ${confirmed.length} confirmed, ${(position() / 1e6).toFixed(0)} MB of writes`,
  );
  if (acknowledged.length < published.length / 2)
    throw new Error('the event stream did not show what was stored: nothing could be judged by this record');
  return { diskBefore, writeLog, acknowledged, published, confirmed };
}
