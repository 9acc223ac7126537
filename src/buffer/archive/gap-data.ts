// What is missing out of one segment -> the data of buffer.gap events that name every id of it. Pure.
import { formatEventId } from '../../contracts/event.ts';
import type { EventData } from '../../contracts/event-types.ts';
import { countOf, type Run } from './runs.ts';

type Gap = EventData<'buffer.gap'>;

/** As many as the schema allows; the events of a file that has more are told by several gaps. */
const RUNS_MAX = 500;

/** `runs` null: it is only known how many of the range are missing. */
export function toGaps(
  reason: Gap['reason'],
  range: {
    readonly generation: number;
    readonly first: number;
    readonly last: number;
    readonly count: number;
  },
  runs: readonly Run[] | null,
): readonly Gap[] {
  const idText = (number: number) => formatEventId({ generation: range.generation, number });
  if (runs === null)
    return [{ reason, count: range.count, from: idText(range.first), to: idText(range.last) }];
  const gaps: Gap[] = [];
  for (let at = 0; at < runs.length; at += RUNS_MAX) {
    const part = runs.slice(at, at + RUNS_MAX);
    const [first, last] = [part[0]?.[0] ?? 0, part.at(-1)?.[1] ?? 0];
    const ends = { reason, count: countOf(part), from: idText(first), to: idText(last) };
    gaps.push(part.length === 1 ? ends : { ...ends, runs: part.map(([a, b]) => [a, b]) });
  }
  return gaps;
}
