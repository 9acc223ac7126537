// Stored events and notices -> the text of server-sent events (HTML Living Standard, section 9.2). Pure.
import { formatEventId, type StoredEvent } from '../contracts/event.ts';
import type { StreamNotice } from './stream-position.ts';

export function eventText({ id, type, json }: StoredEvent, unnamed: boolean): string {
  // A line end would end the field: JSON has none, but a stored line is not taken on trust.
  const data = /[\r\n]/.test(json) ? json.split(/\r\n|\r|\n/).join('\ndata: ') : json;
  const name = unnamed ? '' : `event: ${type.replace(/[\r\n]/g, ' ')}\n`;
  return `id: ${formatEventId(id)}\n${name}data: ${data}\n\n`;
}

export function noticeText(notice: StreamNotice): string {
  return `event: stream.notice\ndata: ${JSON.stringify(notice)}\n\n`;
}

export function bufferAway(why: string): StreamNotice {
  return {
    code: 'stream.buffer-away',
    message: `the buffer cannot be read: ${why}`,
    remedy: 'Nothing is lost: the stream goes on by itself once the buffer answers.',
  };
}
