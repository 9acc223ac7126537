// Acknowledgements in any order -> the longest prefix of what was sent that is acknowledged without a gap.
import type { EventId } from '../contracts/event.ts';

/** A place in the line; `accept` it when its PUBACK came. */
export interface AckPlace {
  readonly id: EventId;
  accepted: boolean;
  next: AckPlace | null;
}

export class AckLine {
  #head: AckPlace | null = null;
  #tail: AckPlace | null = null;
  /** Places not yet passed, accepted ones behind a gap included. */
  length = 0;

  /** The oldest that waits for its acknowledgement. */
  get head(): AckPlace | null {
    return this.#head;
  }

  append(id: EventId): AckPlace {
    const place: AckPlace = { id, accepted: false, next: null };
    if (this.#tail === null) this.#head = place;
    else this.#tail.next = place;
    this.#tail = place;
    this.length += 1;
    return place;
  }

  /** Accepts the place; the id up to which everything is accepted now, null when an older one is missing. */
  accept(place: AckPlace): EventId | null {
    place.accepted = true;
    let upTo: EventId | null = null;
    while (this.#head?.accepted) {
      upTo = this.#head.id;
      this.#head = this.#head.next;
      this.length -= 1;
    }
    if (this.#head === null) this.#tail = null;
    return upTo;
  }
}
