// What was acknowledged and what arrived -> what was lost, repeated, reordered or left out, from sources and ids alone.
import { compareEventIds, type EventId, START } from '../../../src/contracts/event.ts';
import { IdLedger, type IdRange, parseId, rangeText } from './id-ledger.ts';
import type { Acknowledged, Arrival } from './record-lines.ts';

/** How often, and the first few in words. */
export interface Finding {
  count: number;
  readonly first: string[];
}

export interface Verdict {
  readonly ok: boolean;
  readonly acknowledged: number;
  /** Messages; `distinct` of them with an id that had not come before. */
  readonly arrived: number;
  readonly distinct: number;
  /** Same id, same bytes: what QoS 1 allows, and what the id takes out again. */
  readonly repeated: number;
  readonly generations: number;
  /** Faults. Acknowledged and never arrived, and no event says so. */
  readonly lost: Finding;
  /** An id that never arrived though a higher one did, and no event says so. */
  readonly holes: Finding;
  /** One event under two ids. */
  readonly twice: Finding;
  /** One id for two contents. */
  readonly reused: Finding;
  /** Arrived for the first time after a higher id. */
  readonly outOfOrder: Finding;
  /** A generation that does not begin with the event that announces it. */
  readonly unannounced: Finding;
  /** No fault of the checker's: missing, and told by a `buffer.gap` or `buffer.generation`. */
  readonly told: Finding;
}

const FIRST = 10;

export interface Judge {
  acknowledged(record: Acknowledged): void;
  arrived(record: Arrival): void;
  verdict(): Verdict;
}

/** The order of the calls counts among arrivals, and not between arrivals and acknowledgements. */
export function createJudge(): Judge {
  const ledger = new IdLedger();
  const highest = new Map<string, EventId>();
  const generations = new Set<string>();
  /** 48 bits of each trace id: enough for ten million, and a number. */
  const traces = new Set<number>();
  const told: Told[] = [];
  const counts = { acknowledged: 0, arrived: 0, distinct: 0, repeated: 0 };
  const found = { twice: finding(), reused: finding(), outOfOrder: finding(), unannounced: finding() };

  const first = (record: Arrival, id: EventId) => {
    const { source, type } = record;
    const name = `${source} ${record.id}`;
    const before = highest.get(source) ?? START;
    if (compareEventIds(id, before) < 0) add(found.outOfOrder, name);
    else highest.set(source, id);
    const trace = Number.parseInt(record.trace.slice(0, 12), 16);
    if (traces.has(trace)) add(found.twice, name);
    traces.add(trace);
    const generation = `${source} ${id.generation}`;
    if (!generations.has(generation)) {
      generations.add(generation);
      if (id.number !== 1 || type !== 'buffer.generation') add(found.unannounced, `${name} ${type}`);
    }
    told.push(...toldBy(record));
  };

  return {
    acknowledged({ source, id, crc }) {
      counts.acknowledged += 1;
      if (ledger.acknowledged(source, parseId(id), crc) === 'changed') add(found.reused, `${source} ${id}`);
    },
    arrived(record) {
      const id = parseId(record.id);
      counts.arrived += 1;
      const noted = ledger.arrived(record.source, id, record.crc);
      if (noted === 'changed') add(found.reused, `${record.source} ${record.id}`);
      else if (noted === 'again') counts.repeated += 1;
      else {
        counts.distinct += 1;
        first(record, id);
      }
    },
    verdict() {
      const missing = { lost: finding(), holes: finding(), told: finding() };
      for (const range of ledger.absent())
        for (const part of splitByTold(range, told)) {
          const which = part.isTold ? missing.told : range.acknowledged ? missing.lost : missing.holes;
          add(which, rangeText(part), part.to - part.from + 1);
        }
      const faults = { ...found, lost: missing.lost, holes: missing.holes };
      const ok = Object.values(faults).every(({ count }) => count === 0);
      return { ok, ...counts, generations: generations.size, ...faults, told: missing.told };
    },
  };
}

/** From one id to another, both included; within one generation. */
interface Told {
  readonly source: string;
  readonly from: EventId;
  readonly to: EventId;
}

function toldBy({ source, type, data }: Arrival): readonly Told[] {
  if (type === 'buffer.gap' && typeof data?.from === 'string' && typeof data.to === 'string') {
    const [from, to] = [parseId(data.from), parseId(data.to)];
    const runs = data.runs as readonly (readonly [first: number, last: number])[] | undefined;
    const { generation } = from;
    return runs === undefined
      ? [{ source, from, to }]
      : runs.map(([first, last]) => ({
          source,
          from: { generation, number: first },
          to: { generation, number: last },
        }));
  }
  if (type !== 'buffer.generation') return [];
  const { previousGeneration: generation, previousNumber } = data as {
    readonly previousGeneration: number;
    readonly previousNumber: number;
  };
  const from = { generation, number: previousNumber + 1 };
  return [{ source, from, to: { generation, number: Number.POSITIVE_INFINITY } }];
}

function splitByTold(range: IdRange, told: readonly Told[]): readonly (IdRange & { isTold: boolean })[] {
  const { source, generation } = range;
  const parts: (IdRange & { isTold: boolean })[] = [];
  for (let from = range.from; from <= range.to; ) {
    const here = { generation, number: from };
    const within = told.filter((each) => each.source === source);
    const covering = within.find(
      (each) => compareEventIds(each.from, here) <= 0 && compareEventIds(here, each.to) <= 0,
    );
    const ahead = within.filter(
      (each) =>
        each.from.generation === generation && each.from.number > from && each.from.number <= range.to,
    );
    const end =
      covering === undefined
        ? Math.min(range.to, ...ahead.map((each) => each.from.number - 1))
        : Math.min(range.to, covering.to.generation > generation ? range.to : covering.to.number);
    parts.push({ ...range, from, to: end, isTold: covering !== undefined });
    from = end + 1;
  }
  return parts;
}

function finding(): Finding {
  return { count: 0, first: [] };
}

function add(to: Finding, what: string, count = 1): void {
  to.count += count;
  if (to.first.length < FIRST) to.first.push(what);
}
