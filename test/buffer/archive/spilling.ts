// What the tests of the archive share: events of two priorities, a buffer that spills soon, and what its gaps say.
import path from 'node:path';
import type { EventDraft, StoredEvent } from '../../../src/contracts/event.ts';
import type { EventData } from '../../../src/contracts/event-types.ts';
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts';
import type { TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { draft, namesOf, type TestBuffer } from '../open-test-buffer.ts';

export const small = { memoryMaxBytes: 400_000, keepEvents: 0, checkEveryMs: 20 };

/** About 700 bytes each, every tenth of low priority. */
export function events(count: number, from = 0, clock: FakeClock = fakeClock()): readonly EventDraft[] {
  return Array.from({ length: count }, (_, at) => ({
    ...draft(from + at, clock, (from + at) % 10 === 9 ? 'uplink.lost' : 'usb.device.added'),
    // About as compressible as an event is: its ids are random.
    data: { why: `n${from + at}`, fill: `${Math.sin(from + at)}${Math.cos(from + at)}${'-'.repeat(400)}` },
  }));
}

export async function appendAll(
  buffer: TestBuffer,
  count: number,
  from = 0,
  clock?: FakeClock,
): Promise<void> {
  for (let n = from; n < from + count; n += 250)
    await buffer.append(events(Math.min(250, from + count - n), n, clock));
}

export function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `n${n}`);
}

/** Without the buffer's own. */
export function ours(all: readonly StoredEvent[]): readonly string[] {
  return namesOf(all).filter((name) => /^n\d+$/.test(name));
}

export function gapsIn(all: readonly StoredEvent[]): readonly EventData<'buffer.gap'>[] {
  return all
    .filter(({ type }) => type === 'buffer.gap')
    .map(({ json }) => (JSON.parse(json) as { data: EventData<'buffer.gap'> }).data);
}

/** The numbers that a gap names. */
export function missingIn({ runs, from, to }: EventData<'buffer.gap'>): readonly number[] {
  const numberOf = (id = '') => Number(id.split('-')[1]);
  return (runs ?? [[numberOf(from), numberOf(to)]]).flatMap(([a = 0, b = 0]) =>
    Array.from({ length: b - a + 1 }, (_, at) => a + at),
  );
}

export function untilSpilled(buffer: TestBuffer): Promise<boolean> {
  return until('Redis is below its bound', () => {
    const { archivedEvents, streamBytes } = buffer.usage();
    return archivedEvents > 0 && streamBytes <= small.memoryMaxBytes;
  });
}

export function folderOf(redis: TestRedis): string {
  return path.join(path.dirname(redis.socket), 'archive');
}
