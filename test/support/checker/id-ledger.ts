// Which ids of which source were acknowledged and which arrived, in five bytes an id: ten million of them fit.
import { type EventId, formatEventId, parseEventId } from '../../../src/contracts/event.ts';

const ACKNOWLEDGED = 1;
const ARRIVED = 2;

interface Page {
  flags: Uint8Array;
  /** CRC of the content that was seen first under the id. */
  crcs: Uint32Array;
  highest: number;
}

export interface IdRange {
  readonly source: string;
  readonly generation: number;
  readonly from: number;
  readonly to: number;
}

/** `new` the first time; `changed`: seen before with other content. */
export type Noted = 'new' | 'again' | 'changed';

export class IdLedger {
  readonly #pages = new Map<string, Page>();
  #missing = 0;

  /** Acknowledged ids that have not arrived. */
  get missing(): number {
    return this.#missing;
  }

  acknowledged(source: string, id: EventId, crc: string): Noted {
    const page = this.#page(source, id);
    const noted = note(page, id.number, ACKNOWLEDGED, crc);
    if (noted === 'new' && ((page.flags[id.number] ?? 0) & ARRIVED) === 0) this.#missing += 1;
    return noted;
  }

  arrived(source: string, id: EventId, crc: string): Noted {
    const page = this.#page(source, id);
    const isMissing = page.flags[id.number] === ACKNOWLEDGED;
    const noted = note(page, id.number, ARRIVED, crc);
    if (isMissing && noted === 'new') this.#missing -= 1;
    return noted;
  }

  /** Ids up to the highest known of each generation that never arrived; `acknowledged` says which of them were promised. */
  *absent(): Iterable<IdRange & { readonly acknowledged: boolean }> {
    for (const [key, { flags, highest }] of this.#pages) {
      const [source = '', generation] = key.split(' ');
      for (let from = 1; from <= highest; ) {
        const kind = flags[from] ?? 0;
        let to = from;
        while (to < highest && flags[to + 1] === kind) to += 1;
        if ((kind & ARRIVED) === 0)
          yield { source, generation: Number(generation), from, to, acknowledged: kind === ACKNOWLEDGED };
        from = to + 1;
      }
    }
  }

  #page(source: string, { generation, number }: EventId): Page {
    const key = `${source} ${generation}`;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = { flags: new Uint8Array(1_024), crcs: new Uint32Array(1_024), highest: 0 };
      this.#pages.set(key, page);
    }
    if (number >= page.flags.length) grow(page, number);
    page.highest = Math.max(page.highest, number);
    return page;
  }
}

function note(page: Page, number: number, flag: number, crc: string): Noted {
  const flags = page.flags[number] ?? 0;
  const value = Number.parseInt(crc, 16);
  if (flags === 0) page.crcs[number] = value;
  else if (page.crcs[number] !== value) return 'changed';
  page.flags[number] = flags | flag;
  return (flags & flag) === 0 ? 'new' : 'again';
}

function grow(page: Page, number: number): void {
  const length = Math.max(number + 1, 2 * page.flags.length);
  const [flags, crcs] = [new Uint8Array(length), new Uint32Array(length)];
  flags.set(page.flags);
  crcs.set(page.crcs);
  page.flags = flags;
  page.crcs = crcs;
}

export function parseId(text: string): EventId {
  const id = parseEventId(text);
  if (id === null) throw new Error(`an event id is <generation>-<number>, not ${JSON.stringify(text)}`);
  return id;
}

export function rangeText({ source, generation, from, to }: IdRange): string {
  const first = formatEventId({ generation, number: from });
  return from === to
    ? `${source} ${first}`
    : `${source} ${first} to ${formatEventId({ generation, number: to })}`;
}
