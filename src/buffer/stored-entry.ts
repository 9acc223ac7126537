// Event <-> fields of a stream entry, with the checksum that tells damage from data.
import { crc32 } from 'node:zlib';
import { type EventId, parseEventId, type StoredEvent } from '../contracts/event.ts';

/** As ioredis returns it. */
export type RawEntry = [id: string, fields: string[]];

/** CRC-32 over the id's text and the JSON, eight hex digits. */
export function entryChecksum(idText: string, json: string): string {
  return crc32(json, crc32(idText)).toString(16).padStart(8, '0');
}

export function toEntryFields(idText: string, json: string): readonly string[] {
  return ['e', json, 'c', entryChecksum(idText, json)];
}

export type ParsedEntry =
  | { readonly ok: true; readonly event: StoredEvent }
  | { readonly ok: false; readonly id: EventId };

export function parseEntry([idText, fields]: RawEntry): ParsedEntry {
  const id = parseEventId(idText);
  if (id === null) throw new TypeError(`Redis gave an entry id that is none: ${idText}`);
  const json = fieldOf(fields, 'e');
  if (json === undefined || fieldOf(fields, 'c') !== entryChecksum(idText, json)) return { ok: false, id };
  const type = typeOf(json);
  return type === null ? { ok: false, id } : { ok: true, event: { id, type, json } };
}

export function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < fields.length; index += 2)
    if (fields[index] === name) return fields[index + 1];
  return undefined;
}

function typeOf(json: string): string | null {
  try {
    const event: unknown = JSON.parse(json);
    const type = typeof event === 'object' && event !== null && 'type' in event ? event.type : null;
    return typeof type === 'string' ? type : null;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}
