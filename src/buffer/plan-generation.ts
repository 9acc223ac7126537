// Where numbering goes on, decided from the mark file and the store's last id. Pure: what must never happen is that an id
// that may have been seen outside is given to a second event.
import { compareEventIds, type EventId, START } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';

export type KnownMark =
  | { readonly kind: 'absent' }
  /** The file exists, and neither slot can be read. */
  | { readonly kind: 'damaged' }
  | {
      readonly kind: 'valid';
      readonly generation: number;
      readonly published: number;
      readonly previous: { readonly generation: number; readonly published: number } | null;
    };

export interface GenerationPlan {
  readonly next: EventId;
  /** The mark must be written with this generation before `next` is used. */
  readonly isNew: boolean;
  /** What the first event of the generation says; null when there is nothing to say (going on, or the very first). */
  readonly note: EventData<'buffer.generation'> | null;
}

export interface GenerationFacts {
  readonly mark: KnownMark;
  /** Last id the store ever gave, START when it is empty. */
  readonly last: EventId;
  /** Last id the store acknowledged to this process, null before the first contact. */
  readonly acknowledged: EventId | null;
  /** Milliseconds since 1970 as the machine's clock says, right or wrong. */
  readonly wallMs: number;
}

export function planGeneration({ mark, last, acknowledged, wallMs }: GenerationFacts): GenerationPlan {
  switch (mark.kind) {
    case 'absent':
      if (last.generation === 0) return begin(1, null);
      return begin(last.generation + 1, {
        why: 'the mark file is missing: what was published before is unknown',
        previousGeneration: last.generation,
        previousNumber: last.number,
        publishedNumber: last.number,
      });
    case 'damaged':
      // A forgotten generation may be any number; minutes since 1970 are above all that were counted one by one.
      return begin(Math.max(last.generation + 1, Math.floor(wallMs / 60_000)), {
        why: 'the mark file is damaged: what was published before is unknown',
        previousGeneration: last.generation,
        previousNumber: last.number,
        publishedNumber: last.number,
      });
    case 'valid':
      return planAfter(mark, last, acknowledged ?? START);
  }
}

function planAfter(
  mark: Extract<KnownMark, { kind: 'valid' }>,
  last: EventId,
  acknowledged: EventId,
): GenerationPlan {
  const marked = { generation: mark.generation, number: mark.published };
  const floor = compareEventIds(marked, acknowledged) < 0 ? acknowledged : marked;
  if (last.generation === mark.generation && compareEventIds(last, floor) >= 0)
    return { next: { generation: last.generation, number: last.number + 1 }, isNew: false, note: null };

  // The generation was begun and nothing of it was stored or published: a stop between the two. It is still unused.
  const unused =
    last.generation < mark.generation && mark.published === 0 && acknowledged.generation < mark.generation;
  const generation = unused
    ? mark.generation
    : Math.max(mark.generation, last.generation, acknowledged.generation) + 1;
  if (generation === 1) return begin(1, null);

  const before = unused ? mark.previous : mark;
  const previousGeneration = Math.max(last.generation, before?.generation ?? generation - 1);
  const previousNumber = last.generation === previousGeneration ? last.number : 0;
  return begin(generation, {
    why: whyBehind(last, mark.generation),
    previousGeneration,
    previousNumber,
    publishedNumber: before?.generation === previousGeneration ? before.published : previousNumber,
  });
}

function whyBehind(last: EventId, markGeneration: number): string {
  if (last.generation === 0) return 'the store is empty: it was lost or replaced';
  if (last.generation > markGeneration) return 'the mark file is older than the store: it was restored';
  return 'the store is behind what was acknowledged: it was rolled back or restored';
}

function begin(generation: number, note: EventData<'buffer.generation'> | null): GenerationPlan {
  return { next: { generation, number: 1 }, isNew: true, note };
}
