// Boots a guest on a disk whose power was cut: it must come up by itself, go on with its numbers, and deliver what it holds.
import type { BuiltRoot } from '../../../image/build-root.ts';
import type { CloudEvent } from '../../../src/contracts/event.ts';
import { compareEventIds, formatEventId } from '../../../src/contracts/event.ts';
import { parseId } from '../../support/checker/id-ledger.ts';
import { contentCrc } from '../../support/checker/record-lines.ts';
import { hostFromGuest, startGuest } from '../../support/guest.ts';
import { startMosquitto } from '../../support/mosquitto.ts';
import { startSubscriber } from '../../support/mqtt-subscriber.ts';
import { until } from '../../support/until.ts';
import type { Cleanup } from '../../support/with-cleanup.ts';
import type { FoundStore } from './inspect-disk.ts';
import { guestConfig } from './record-run.ts';

const ARRIVAL_LIMIT_MS = 180_000;

/** `dir` holds the disk as data.img. Returns the faults in words. */
export async function bootDisk(
  t: Cleanup,
  options: {
    readonly image: BuiltRoot;
    readonly dir: string;
    readonly found: FoundStore;
    readonly say: (line: string) => void;
  },
): Promise<readonly string[]> {
  const { image, dir, found, say } = options;
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url, 'autoweave/v1/acme/lab/power/event/#');
  const guest = await startGuest(t, {
    ...{ image, dataDir: dir, until: 'daemon' },
    config: guestConfig(`mqtt://${hostFromGuest}:${broker.port}`),
  });
  const arrived = () =>
    subscriber.messages.map(({ payload }) => ({
      crc: contentCrc(payload),
      event: JSON.parse(payload) as CloudEvent,
    }));
  const started = () =>
    arrived().find(
      // The disk may also hold the starts of before, undelivered.
      ({ event }) => event.type === 'system.started' && !found.events.has(event.id),
    );
  const news = await until('the new start is told', started, ARRIVAL_LIMIT_MS).catch(() => undefined);
  const faults: string[] = [];
  if (news === undefined) return [`booted, and its start was not told within ${ARRIVAL_LIMIT_MS / 1_000} s`];
  const crcs = new Map(arrived().map(({ event, crc }) => [event.id, crc]));
  for (const [id, crc] of found.events) {
    if (compareEventIds(parseId(id), found.cursor) <= 0) continue;
    const got = crcs.get(id);
    if (got === undefined) faults.push(`${id} was on the disk and did not arrive after the boot`);
    else if (got !== crc) faults.push(`${id} arrived with other content`);
  }
  const last = [...found.events.keys()].at(-1);
  const { generation, number } = parseId(news.event.id);
  if (last !== undefined && (generation !== parseId(last).generation || number <= parseId(last).number))
    faults.push(
      `the store ended with ${last}, numbering went on with ${formatEventId({ generation, number })}`,
    );
  const health = (await (await fetch(`${guest.statusUrl}/health`)).json()) as { readonly state?: string };
  if (health.state === 'down') faults.push(`booted, and its health is ${JSON.stringify(health)}`);
  say(`booted in ${guest.bootSeconds.toFixed(1)} s: ${crcs.size} events arrived`);
  await guest.powerCut();
  return faults;
}
