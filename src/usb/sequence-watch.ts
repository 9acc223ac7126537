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

export function createSequenceWatch(): SequenceWatch {
  let first: number | null = null;
  let highest: number | null = null;
  const missing = new Set<number>();
  let isBeyondCount = false;
  const hasGap = () => missing.size > 0 || isBeyondCount;
  return {
    saw(seqnum) {
      first ??= seqnum;
      if (highest === null || seqnum > highest) {
        const from = (highest ?? seqnum - 1) + 1;
        if (seqnum - from + missing.size > MAX_MISSING) isBeyondCount = true;
        else for (let each = from; each < seqnum; each++) missing.add(each);
        highest = seqnum;
        return true;
      }
      return missing.delete(seqnum);
    },
    hasGap,
    takeGap() {
      const had = hasGap();
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
      isBeyondCount = false;
    },
  };
}
