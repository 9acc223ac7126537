// The kernel numbers its uevents without holes; a number that does not arrive is a record that was lost, or one of another
// network namespace. New kernels may send two neighbours in turned order, so a hole is only counted when it stays.

export interface SequenceWatch {
  /** false: this number has been here before. */
  saw(seqnum: number): boolean;
  /** Whether numbers were missing that have not come meanwhile; forgets them. */
  takeGap(): boolean;
  hasGap(): boolean;
  /** The first and the highest number of this stream. */
  first(): number | null;
  highest(): number | null;
  reset(): void;
}

const MAX_MISSING = 1_024;
/** Who has subscribed in between may get the earlier of two neighbours second. */
const BEFORE_FIRST = 32;

export function createSequenceWatch(): SequenceWatch {
  let first: number | null = null;
  let highest: number | null = null;
  const missing = new Set<number>();
  /** Taken as a gap already; a record that comes after all is a record all the same. */
  const late = new Set<number>();
  const forgive = (seqnum: number) => {
    late.add(seqnum);
    const [oldest] = late;
    if (late.size > MAX_MISSING && oldest !== undefined) late.delete(oldest);
  };
  let isBeyondCount = false;
  const hasGap = () => missing.size > 0 || isBeyondCount;
  return {
    saw(seqnum) {
      if (first === null) for (let each = seqnum - BEFORE_FIRST; each < seqnum; each++) forgive(each);
      first ??= seqnum;
      if (highest === null || seqnum > highest) {
        const from = (highest ?? seqnum - 1) + 1;
        if (seqnum - from + missing.size > MAX_MISSING) isBeyondCount = true;
        else for (let each = from; each < seqnum; each++) missing.add(each);
        highest = seqnum;
        return true;
      }
      return missing.delete(seqnum) || late.delete(seqnum);
    },
    hasGap,
    takeGap() {
      const had = hasGap();
      for (const each of missing) forgive(each);
      missing.clear();
      isBeyondCount = false;
      return had;
    },
    first: () => first,
    highest: () => highest,
    reset() {
      first = null;
      highest = null;
      missing.clear();
      late.clear();
      isBeyondCount = false;
    },
  };
}
