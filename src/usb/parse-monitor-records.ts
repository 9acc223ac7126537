// Bytes of `udevadm monitor --kernel --udev --property` -> records. Pure but for the rest of a line kept between chunks.
// Property values can hold what a device claims about itself (HID_NAME, an input's NAME), line feeds included: a device can
// print what looks like a record. But every uevent has a SEQNUM, which comes after such values: a record
// without it was torn by one, so it and the record that follows are refused.

export type MonitorCode =
  | 'usb.monitor-line-too-long'
  | 'usb.monitor-record-too-long'
  | 'usb.monitor-stray-line'
  | 'usb.monitor-no-equals'
  | 'usb.monitor-action'
  | 'usb.monitor-seqnum'
  | 'usb.monitor-mismatch'
  | 'usb.monitor-torn';

export interface MonitorRecord {
  readonly origin: 'kernel' | 'udev';
  /** CLOCK_MONOTONIC at which udevadm received it. */
  readonly uptimeMs: number;
  readonly action: string;
  readonly devpath: string;
  readonly subsystem: string;
  readonly seqnum: number;
  readonly properties: ReadonlyMap<string, string>;
}

export interface MonitorParser {
  push(chunk: Uint8Array): void;
  /** The stream has ended: what is unfinished is dropped, the parser starts afresh. */
  reset(): void;
}

const MAX_LINE = 16_384;
const MAX_PROPERTIES = 512;
const MAX_RECORD = 131_072;

const header = /^(KERNEL|UDEV {0,2})\[(\d{1,10})\.(\d{6})\] +(\S{1,32}) +(\/\S*) \(([^()\s]*)\)$/;
const greeting = /^(monitor will print|UDEV - |KERNEL - |$)/;
const actions = new Set(['add', 'remove', 'change', 'move', 'online', 'offline', 'bind', 'unbind']);
const LINE_FEED = 0x0a;

interface OpenRecord {
  readonly origin: 'kernel' | 'udev';
  readonly uptimeMs: number;
  readonly action: string;
  readonly devpath: string;
  readonly subsystem: string;
  readonly properties: Map<string, string>;
  length: number;
}

/** Calls `onRecord` in order, and `onRefused` once for each thing that was left out. Never throws. */
export function createMonitorParser(
  onRecord: (record: MonitorRecord) => void,
  onRefused: (code: MonitorCode) => void,
): MonitorParser {
  let rest: Buffer = Buffer.alloc(0);
  let isSkippingLine = false;
  let open: OpenRecord | null = null;
  let isAfterTorn = false;
  let isSkippingRecord = false;

  const finish = () => {
    isSkippingRecord = false;
    if (open === null) return;
    const record = open;
    open = null;
    const verdict = judge(record);
    if (typeof verdict !== 'string' && !isAfterTorn) {
      onRecord(verdict);
      return;
    }
    onRefused(typeof verdict === 'string' ? verdict : 'usb.monitor-torn');
    isAfterTorn = verdict === 'usb.monitor-torn';
  };

  const takeLine = (line: string) => {
    if (line === '') return finish();
    const first = line.charCodeAt(0);
    // 'K' or 'U': most lines are properties and need no pattern.
    const match = first === 0x4b || first === 0x55 ? header.exec(line) : null;
    if (match !== null) {
      finish();
      open = toOpenRecord(match);
      return;
    }
    if (open === null) {
      if (isSkippingRecord) return;
      if (!greeting.test(line)) onRefused('usb.monitor-stray-line');
      return;
    }
    const equals = line.indexOf('=');
    if (equals <= 0) return onRefused('usb.monitor-no-equals');
    open.length += line.length;
    if (open.properties.size >= MAX_PROPERTIES || open.length > MAX_RECORD) {
      onRefused('usb.monitor-record-too-long');
      open = null;
      isSkippingRecord = true;
      return;
    }
    open.properties.set(line.slice(0, equals), line.slice(equals + 1));
  };

  const takeLines = (text: string) => {
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf('\n', from);
      const stop = end > from && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
      if (stop - from > MAX_LINE) onRefused('usb.monitor-line-too-long');
      else takeLine(text.slice(from, stop));
      from = end + 1;
    }
  };

  return {
    push(chunk) {
      const bytes =
        rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : join(rest, chunk);
      let from = 0;
      if (isSkippingLine) {
        const end = bytes.indexOf(LINE_FEED);
        if (end === -1) return;
        isSkippingLine = false;
        from = end + 1;
      }
      const whole = bytes.lastIndexOf(LINE_FEED) + 1;
      // A line feed is never part of a longer UTF-8 sequence, so cutting there splits no character.
      if (whole > from) takeLines(bytes.toString('utf8', from, whole));
      const kept = bytes.subarray(Math.max(whole, from));
      if (kept.length > MAX_LINE) {
        onRefused('usb.monitor-line-too-long');
        isSkippingLine = true;
        rest = Buffer.alloc(0);
      } else {
        // A copy: the chunk is the stream's pool memory.
        rest = Buffer.from(kept);
      }
    },
    reset() {
      rest = Buffer.alloc(0);
      isSkippingLine = false;
      open = null;
      isAfterTorn = false;
      isSkippingRecord = false;
    },
  };
}

function join(rest: Buffer, chunk: Uint8Array): Buffer {
  return Buffer.concat([rest, chunk]);
}

function toOpenRecord(match: RegExpExecArray): OpenRecord {
  const [, origin = '', seconds = '', micros = '', action = '', devpath = '', subsystem = ''] = match;
  return {
    origin: origin === 'KERNEL' ? 'kernel' : 'udev',
    uptimeMs: Number(seconds) * 1_000 + Number(micros) / 1_000,
    action,
    devpath,
    subsystem,
    properties: new Map(),
    length: 0,
  };
}

function judge(open: OpenRecord): MonitorRecord | MonitorCode {
  const { length: _, ...record } = open;
  if (!actions.has(record.action)) return 'usb.monitor-action';
  const text = record.properties.get('SEQNUM');
  if (text === undefined) return 'usb.monitor-torn';
  const seqnum = toSeqnum(text);
  if (seqnum === null) return 'usb.monitor-seqnum';
  for (const [name, value] of [
    ['ACTION', record.action],
    ['DEVPATH', record.devpath],
    ['SUBSYSTEM', record.subsystem],
  ] as const) {
    const said = record.properties.get(name);
    if (said !== undefined && said !== value) return 'usb.monitor-mismatch';
  }
  return { ...record, seqnum };
}

function toSeqnum(text: string): number | null {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : null;
  return Number.isSafeInteger(value) ? value : null;
}
