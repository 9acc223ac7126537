// The checker's two logs, one line an event. `acknowledged.log`: SOURCE ID CRC; `arrived.log`: SOURCE ID CRC TRACE TYPE and, for the
// buffer's own events, their data. CRC is of the event's exact bytes, TRACE the 32 digits that every event has of its own.
import { crc32 } from 'node:zlib';

export const ACKNOWLEDGED_LOG = 'acknowledged.log';
export const ARRIVED_LOG = 'arrived.log';

export interface Acknowledged {
  readonly source: string;
  readonly id: string;
  readonly crc: string;
}

export interface Arrival extends Acknowledged {
  readonly trace: string;
  readonly type: string;
  /** Of `buffer.*` events: what they say is missing, or that a generation began. */
  readonly data: Readonly<Record<string, unknown>> | null;
}

export function contentCrc(bytes: string | Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}

/** Throws for a payload that is no event. */
export function toArrival(payload: Buffer): Arrival {
  const { source, id, type, traceparent, data } = JSON.parse(payload.toString()) as {
    readonly source: string;
    readonly id: string;
    readonly type: string;
    readonly traceparent: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
  const trace = traceparent.split('-')[1] ?? '';
  const own = type.startsWith('buffer.') ? data : null;
  return { source, id, crc: contentCrc(payload), trace, type, data: own };
}

export function formatAcknowledged({ source, id, crc }: Acknowledged): string {
  return `${source} ${id} ${crc}\n`;
}

export function formatArrival({ source, id, crc, trace, type, data }: Arrival): string {
  return `${source} ${id} ${crc} ${trace} ${type}${data === null ? '' : ` ${JSON.stringify(data)}`}\n`;
}

export function parseAcknowledged(line: string): Acknowledged {
  const [source = '', id = '', crc = ''] = line.split(' ');
  return { source, id, crc };
}

export function parseArrival(line: string): Arrival {
  const [source = '', id = '', crc = '', trace = '', type = '', ...rest] = line.split(' ');
  const data = rest.length === 0 ? null : (JSON.parse(rest.join(' ')) as Arrival['data']);
  return { source, id, crc, trace, type, data };
}
