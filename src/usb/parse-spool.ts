// Bytes of the spool -> its records. Pure. The udev RUN helper (udev/autoweave-spool) writes one line per uevent of a USB device,
// fields separated by tabs; the daemon writes one line when it empties the file. Lines of another boot are left out.
import type { UeventFacts } from './describe-device.ts';
import { isDevicePort, isRootHub, portOf } from './usb-port.ts';

export type SpoolCode =
  | 'usb.spool-line'
  | 'usb.spool-line-too-long'
  | 'usb.spool-number'
  | 'usb.spool-action'
  | 'usb.spool-port'
  | 'usb.spool-cut';

export interface SpoolRecord {
  readonly seqnum: number;
  readonly uptimeMs: number;
  readonly action: 'add' | 'remove' | 'change';
  readonly port: string;
  /** Somebody wrote to the device's `uevent` file: nothing was plugged in or out. */
  readonly isSynthetic: boolean;
  readonly facts: UeventFacts;
}

export interface Spool {
  /** In order of their numbers: udev's workers append in any order. */
  readonly records: readonly SpoolRecord[];
  readonly refused: readonly SpoolCode[];
  /** The file reached its limit: what came after it is missing. */
  readonly isFull: boolean;
  /** When the file was last emptied by a daemon that watched the bus, and the highest number that went away with it. */
  readonly emptied: { readonly uptimeMs: number; readonly seqnum: number } | null;
}

const MAX_LINE = 2_048;
const FIELDS = 13;

export function parseSpool(bytes: Uint8Array, bootId: string): Spool {
  const records = new Map<number, SpoolRecord>();
  const refused: SpoolCode[] = [];
  let isFull = false;
  let emptied: Spool['emptied'] = null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const lines = text.split('\n');
  if (lines.pop() !== '') refused.push('usb.spool-cut');
  for (const line of lines) {
    if (line === '') continue;
    if (line === 'full') {
      isFull = true;
      continue;
    }
    const fields = line.split('\t');
    const [kind, boot] = fields;
    if (line.length > MAX_LINE) refused.push('usb.spool-line-too-long');
    else if (boot !== bootId) {
      if (!/^[0-9a-f-]{36}$/.test(boot ?? '')) refused.push('usb.spool-line');
    } else if (kind === 'emptied') emptied = parseEmptied(fields) ?? refusedNull(refused, 'usb.spool-number');
    else {
      const record = parseLine(fields);
      if (typeof record === 'string') refused.push(record);
      else if (record !== null) records.set(record.seqnum, record);
    }
  }
  return { records: [...records.values()].sort((a, b) => a.seqnum - b.seqnum), refused, isFull, emptied };
}

/** The line that says that the file was emptied; the counterpart of `parseSpool`. */
export function formatEmptied(bootId: string, uptimeMs: number, seqnum: number): string {
  return `emptied\t${bootId}\t${(uptimeMs / 1_000).toFixed(2)}\t${seqnum}\n`;
}

function refusedNull(refused: SpoolCode[], code: SpoolCode): null {
  refused.push(code);
  return null;
}

function parseEmptied([, , uptime, seqnum]: readonly string[]): Spool['emptied'] {
  const uptimeMs = toUptimeMs(uptime);
  const number = toSeqnum(seqnum);
  return uptimeMs === null || number === null ? null : { uptimeMs, seqnum: number };
}

/** null: a root hub. */
function parseLine(fields: readonly string[]): SpoolRecord | SpoolCode | null {
  const [
    kind,
    ,
    uptime,
    seqnumText,
    action,
    devpath = '',
    product,
    type,
    busnum,
    devnum,
    serial,
    vendor,
    model,
  ] = fields;
  if ((kind !== 'uevent' && kind !== 'synthetic') || fields.length !== FIELDS) return 'usb.spool-line';
  const uptimeMs = toUptimeMs(uptime);
  const seqnum = toSeqnum(seqnumText);
  if (uptimeMs === null || seqnum === null) return 'usb.spool-number';
  if (action !== 'add' && action !== 'remove' && action !== 'change') return 'usb.spool-action';
  const port = portOf(devpath);
  if (isRootHub(port)) return null;
  if (!isDevicePort(port)) return 'usb.spool-port';
  return {
    seqnum,
    uptimeMs,
    action,
    port,
    isSynthetic: kind === 'synthetic',
    facts: {
      bus: toNumber(busnum),
      address: toNumber(devnum),
      product: product || null,
      type: type || null,
      manufacturer: unescaped(vendor),
      model: unescaped(model),
      serial: serial || undefined,
    },
  };
}

function toUptimeMs(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}(\.\d{1,6})?$/.test(text) ? Number(text) * 1_000 : null;
}

function toSeqnum(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function toNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** udev writes ID_VENDOR_ENC and ID_MODEL_ENC with `\x20` for what is not plain. */
function unescaped(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const bytes = text.replace(/\\x([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8').trim();
}
