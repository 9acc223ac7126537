// What was promised before a power cut, against what is on the disk after it. Pure.
import { compareEventIds, type EventId, formatEventId, START } from '../../../src/contracts/event.ts';
import { parseId } from '../../support/checker/id-ledger.ts';
import type { FoundStore } from './inspect-disk.ts';
import type { Known, RecordedRun } from './record-run.ts';

export interface DiskVerdict {
  readonly acknowledged: number;
  /** Of them, in the store; the others are delivered. */
  readonly stored: number;
  /** In words. */
  readonly faults: readonly string[];
}

/** `cutAt`: how long the record was when the power went. */
export function judgeDisk(run: RecordedRun, found: FoundStore, cutAt: number): DiskVerdict {
  const until = <T>(known: readonly Known<T>[]) => known.filter(({ position }) => position <= cutAt);
  const acknowledged = until(run.acknowledged);
  const isDelivered = (id: EventId) => compareEventIds(id, found.cursor) <= 0;
  const faults: string[] = [];
  let stored = 0;
  for (const { id, crc } of acknowledged) {
    const crcFound = found.events.get(id);
    if (crcFound !== undefined) stored += 1;
    if (crcFound !== undefined && crcFound !== crc) faults.push(`${id} has other content`);
    if (crcFound === undefined && !isDelivered(parseId(id)))
      faults.push(`${id} was acknowledged and is lost`);
  }
  for (const line of found.redisRun.filter((each) => each.includes('cannot repair'))) faults.push(line);
  for (const id of found.damaged) faults.push(`${id} is damaged`);
  const confirmed = highestOf(until(run.confirmed));
  if (compareEventIds(found.cursor, confirmed) > 0)
    faults.push(
      `the cursor stands at ${formatEventId(found.cursor)}, the broker had confirmed up to ${formatEventId(confirmed)}`,
    );
  const published = highestOf(until(run.published));
  if (compareEventIds(found.mark, published) < 0)
    faults.push(`the mark says ${formatEventId(found.mark)}, ${formatEventId(published)} had been published`);
  return { acknowledged: acknowledged.length, stored, faults: [...faults, ...holesIn(found)] };
}

/** The store's ids must be consecutive, or numbers would be used twice. */
function holesIn({ events }: FoundStore): readonly string[] {
  const ids = [...events.keys()].map(parseId);
  return ids.flatMap((id, index) => {
    const before = ids[index - 1];
    const follows =
      before === undefined || before.generation !== id.generation || before.number + 1 === id.number;
    return follows ? [] : [`${formatEventId(id)} follows ${formatEventId(before)} in the store`];
  });
}

function highestOf(known: readonly { readonly id: string }[]): EventId {
  return known.map(({ id }) => parseId(id)).reduce((a, b) => (compareEventIds(a, b) < 0 ? b : a), START);
}
