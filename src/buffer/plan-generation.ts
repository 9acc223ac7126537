// Where numbering goes on, decided from the mark file and the store's last id. What must never happen is that an id that
// may have been seen outside is given to a second event, or that a generation is below one that is still kept. Pure: time
// and randomness are arguments.
import { compareEventIds, type EventId, START } from '../contracts/event.ts';
import type { EventData } from '../contracts/event-types.ts';
import { later } from './later.ts';
import type { Mark } from './mark-slots.ts';

/** Highest numbers of a generation, as the mark file has them. */
type Marked = Pick<Mark, 'generation' | 'published' | 'stored'>;

export type KnownMark =
  | { readonly kind: 'absent' }
  /** The file exists, and neither slot can be read. */
  | { readonly kind: 'damaged' }
  | ({ readonly kind: 'valid'; readonly previous: Marked | null } & Marked);

type Note = EventData<'buffer.generation'>;

export interface GenerationPlan {
  readonly next: EventId;
  /** The mark must be written with this generation before `next` is used. */
  readonly isNew: boolean;
  /** What the first event of the generation says; null when numbering just goes on. */
  readonly note: Note | null;
}

export interface GenerationFacts {
  readonly mark: KnownMark;
  /** Last id the store ever gave, START when it is empty. */
  readonly last: EventId;
  /** Last id the store acknowledged to this process, null before the first contact. */
  readonly acknowledged: EventId | null;
  /** Last id in the archive; START: it has none. It lies outside the store and may outlive it. */
  readonly archived: EventId;
  /** Furthest place of a consumer; START: there is none. */
  readonly read: EventId;
  /** Milliseconds since 1970 as the machine's clock says, right or wrong. */
  readonly wallMs: number;
  /** 0 <= n < below */
  readonly random: (below: number) => number;
}

/** A clock that says less was never set. */
const PLAUSIBLE_MS = Date.UTC(2024, 0, 1);
/** Below every generation that a plausible clock gives. */
const RANDOM_BELOW = 28_000_000;

const NOTHING_FOUND = 'no earlier state was found: a new appliance, or its data was lost';

export function planGeneration(facts: GenerationFacts): GenerationPlan {
  const { mark, last, acknowledged, archived, read } = facts;
  const known = [acknowledged ?? START, archived, read].reduce(later);
  switch (mark.kind) {
    case 'absent':
      return beginUnknown(
        facts,
        later(last, known).generation === 0 ? NOTHING_FOUND : unknownBecause('is missing'),
      );
    case 'damaged':
      return beginUnknown(facts, unknownBecause('is damaged'));
    case 'valid':
      return planAfter(mark, { last, archived, acknowledged: known });
  }
}

/**
 * The source stays the same when an appliance loses all its data, so its old ids must not come again: minutes since 1970 are
 * above all generations that were counted one by one and all earlier minutes.
 */
function beginUnknown(facts: GenerationFacts, why: string): GenerationPlan {
  const { archived, random, read, wallMs } = facts;
  const last = later(facts.last, archived);
  const chosen = wallMs >= PLAUSIBLE_MS ? Math.floor(wallMs / 60_000) : 1 + random(RANDOM_BELOW);
  const note = { why, previousGeneration: last.generation, previousNumber: last.number };
  return begin(Math.max(chosen, later(last, read).generation + 1), { ...note, publishedNumber: last.number });
}

function planAfter(
  mark: Extract<KnownMark, { kind: 'valid' }>,
  {
    last,
    archived,
    acknowledged,
  }: { readonly last: EventId; readonly archived: EventId; readonly acknowledged: EventId },
): GenerationPlan {
  const marked = { generation: mark.generation, number: Math.max(mark.published, mark.stored) };
  const floor = compareEventIds(marked, acknowledged) < 0 ? acknowledged : marked;
  if (last.generation === mark.generation && compareEventIds(last, floor) >= 0)
    return { next: { generation: last.generation, number: last.number + 1 }, isNew: false, note: null };

  // The generation was begun and nothing of it was stored or published: a stop between the two. It is still unused.
  const unused =
    last.generation < mark.generation && marked.number === 0 && acknowledged.generation < mark.generation;
  const generation = unused
    ? mark.generation
    : Math.max(mark.generation, last.generation, acknowledged.generation) + 1;

  const before = unused ? mark.previous : mark;
  const kept = later(last, archived);
  const previousGeneration = Math.max(kept.generation, before?.generation ?? 0);
  const previousNumber = kept.generation === previousGeneration ? kept.number : 0;
  return begin(generation, {
    why: before === null ? whyUnknown(last) : whyBehind(last, mark.generation),
    previousGeneration,
    previousNumber,
    publishedNumber: Math.max(
      before?.generation === previousGeneration ? before.published : previousNumber,
      // During the run whatever was acknowledged may have been read and be on its way.
      acknowledged.generation === previousGeneration ? acknowledged.number : 0,
    ),
  });
}

function whyUnknown(last: EventId): string {
  return last.generation === 0 ? NOTHING_FOUND : unknownBecause('was missing or damaged');
}

function unknownBecause(fault: string): string {
  return `the mark file ${fault}: what was published before is unknown`;
}

function whyBehind(last: EventId, markGeneration: number): string {
  if (last.generation === 0) return 'the store is empty: it was lost or replaced';
  if (last.generation > markGeneration) return 'the mark file is older than the store: it was restored';
  return 'the store is behind what was acknowledged: it was rolled back or restored';
}

function begin(generation: number, note: Note): GenerationPlan {
  return { next: { generation, number: 1 }, isNew: true, note };
}
