// Counting and stepping back over ids of several generations, as far as the store still holds them. Pure.
import { type EventId, START } from '../contracts/event.ts';

/** Last stored number of every generation in the store, the current one included. */
export type GenerationEnds = ReadonlyMap<number, number>;

/** How many ids lie after `from`, up to the end of the last generation. */
export function countAfter(from: EventId, ends: GenerationEnds): number {
  let count = 0;
  for (const [generation, end] of ends) {
    if (generation > from.generation) count += end;
    else if (generation === from.generation) count += Math.max(0, end - from.number);
  }
  return count;
}

/** The oldest of the last `keep` ids up to and including `from`; START when there are not so many. */
export function stepBack(from: EventId, keep: number, ends: GenerationEnds): EventId {
  let wanted = keep;
  const generations = [...ends.keys()].filter((one) => one < from.generation).sort((a, b) => b - a);
  for (const generation of [from.generation, ...generations]) {
    const end = generation === from.generation ? from.number : (ends.get(generation) ?? 0);
    if (end >= wanted) return { generation, number: end - wanted + 1 };
    wanted -= end;
  }
  return START;
}
