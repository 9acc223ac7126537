// What a file of the archive says by its name, so that a start reads names only.
//   29920463-0000000001-0000012000.lead-high.11950.483920.1a2b3c4d.zst
//   generation-first-last of the segment . role-priority . events . bytes . CRC-32 of the file
// A file that was given up ends in `.gone.<reason>` instead, one that is being written in `.new`.
import { type EventPriority, eventPriorities } from '../../contracts/event-priority.ts';

export const goneReasons = ['disk-bound', 'age-bound', 'count-bound'] as const;
export type GoneReason = (typeof goneReasons)[number];

export interface SegmentFile {
  readonly generation: number;
  /** Numbers of the segment's range; all files of a segment have the same. */
  readonly first: number;
  readonly last: number;
  readonly priority: EventPriority;
  /** The most important file of its segment: written last, and without it the others do not count. */
  readonly isLead: boolean;
  readonly count: number;
  readonly bytes: number;
  readonly crc: number;
}

export type ArchiveName =
  | { readonly kind: 'segment'; readonly file: SegmentFile }
  | { readonly kind: 'gone'; readonly file: SegmentFile; readonly reason: GoneReason }
  | { readonly kind: 'unfinished' };

const PATTERN =
  /^(\d{1,16})-(\d{1,16})-(\d{1,16})\.(lead|also)-([a-z]+)\.(\d{1,9})\.(\d{1,10})\.([0-9a-f]{8})\.(zst|gone\.([a-z-]+))$/;

export function formatSegmentName(file: SegmentFile): string {
  return `${stemOf(file)}.zst`;
}

export function formatGoneName(file: SegmentFile, reason: GoneReason): string {
  return `${stemOf(file)}.gone.${reason}`;
}

/** null: not of the archive. */
export function parseArchiveName(name: string): ArchiveName | null {
  if (name.endsWith('.new')) return { kind: 'unfinished' };
  const match = PATTERN.exec(name);
  if (match === null) return null;
  const [, generation, first, last, role, priorityText, count, bytes, crc, , reasonText] = match;
  const priority = eventPriorities.find((one) => one === priorityText);
  const file = {
    ...{ generation: Number(generation), first: Number(first), last: Number(last) },
    ...{ isLead: role === 'lead', count: Number(count), bytes: Number(bytes) },
    crc: Number.parseInt(crc ?? '', 16),
  };
  const isRange = Number.isSafeInteger(file.generation) && Number.isSafeInteger(file.last);
  if (priority === undefined || !isRange || file.first > file.last) return null;
  if (reasonText === undefined) return { kind: 'segment', file: { ...file, priority } };
  const reason = goneReasons.find((one) => one === reasonText);
  return reason === undefined ? null : { kind: 'gone', file: { ...file, priority }, reason };
}

function stemOf({ generation, first, last, isLead, priority, count, bytes, crc }: SegmentFile): string {
  const range = [generation, pad(first), pad(last)].join('-');
  const role = isLead ? 'lead' : 'also';
  return `${range}.${role}-${priority}.${count}.${bytes}.${crc.toString(16).padStart(8, '0')}`;
}

function pad(number: number): string {
  return String(number).padStart(10, '0');
}
