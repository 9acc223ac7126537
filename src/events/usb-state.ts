// The state that survives the daemon <-> fields of a Redis hash, which change together with the events that say them.
import { Type } from 'typebox';
import type { StatePatch } from '../contracts/buffer.ts';
import type { PortMark, UsbState } from '../contracts/usb-change.ts';
import { UsbDevice } from '../contracts/usb-device.ts';
import { schemaCheck } from '../lib/schema-check.ts';

export const BOOT_FIELD = 'usb.boot';
export const SEQNUM_FIELD = 'usb.seqnum';
const DEVICE_PREFIX = 'usb.device.';
const MARK_PREFIX = 'usb.port.';

const Seqnum = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const checkSeqnum = schemaCheck(Seqnum);
const checkBoot = schemaCheck(Type.String({ pattern: '^[0-9a-f-]{36}$' }));
const checkDevice = schemaCheck(UsbDevice);
const checkMark = schemaCheck(
  Type.Object(
    {
      seqnum: Seqnum,
      attached: Type.Union([Seqnum, Type.Null()]),
      ready: Type.Boolean(),
      carried: Type.Boolean(),
    },
    { additionalProperties: false },
  ),
);

export interface ParsedUsbState {
  /** null: nothing is stored, or not even the boot and the number of the last change can be read. */
  readonly state: UsbState | null;
  /** One line for every field that was left out; devices left out are reported as added again. */
  readonly problems: readonly string[];
  /** Removes the fields that were left out, so that they are not met again. */
  readonly repair: StatePatch;
}

/** `fields`: the whole hash; fields of other parts are passed over. */
export function parseUsbState(fields: Readonly<Record<string, string>>): ParsedUsbState {
  const own = Object.entries(fields).filter(([name]) => name.startsWith('usb.'));
  if (own.length === 0) return { state: null, problems: [], repair: {} };
  const boot = checkBoot(fields[BOOT_FIELD]);
  const seqnum = checkSeqnum(parseJson(fields[SEQNUM_FIELD]));
  if (!boot.ok || !seqnum.ok) {
    const field = boot.ok ? SEQNUM_FIELD : BOOT_FIELD;
    return {
      state: null,
      problems: [`${field} is ${JSON.stringify(fields[field]) ?? 'missing'}: all USB state is left out`],
      repair: Object.fromEntries(own.map(([name]) => [name, null])),
    };
  }
  const devices: UsbDevice[] = [];
  const marks = new Map<string, PortMark>();
  const problems: string[] = [];
  const repair: Record<string, null> = {};
  const leaveOut = (name: string, why: string) => {
    problems.push(`${name} ${why}: left out`);
    repair[name] = null;
  };
  for (const [name, text] of own) {
    if (name.startsWith(DEVICE_PREFIX)) {
      const device = checkDevice(parseJson(text));
      if (!device.ok) leaveOut(name, problemOf(device.problems));
      else if (name !== deviceField(device.value.port)) leaveOut(name, `holds port ${device.value.port}`);
      else devices.push(device.value);
    } else if (name.startsWith(MARK_PREFIX)) {
      const mark = checkMark(parseJson(text));
      if (mark.ok) marks.set(name.slice(MARK_PREFIX.length), mark.value);
      else leaveOut(name, problemOf(mark.problems));
    }
  }
  const state = { bootId: boot.value, seqnum: seqnum.value, devices, marks: Object.fromEntries(marks) };
  return { state, problems, repair };
}

export function deviceField(port: string): string {
  return DEVICE_PREFIX + port;
}

export function markField(port: string): string {
  return MARK_PREFIX + port;
}

function problemOf(problems: readonly { readonly path: string; readonly message: string }[]): string {
  const [first] = problems;
  return first === undefined ? 'is damaged' : `is damaged (${first.path || 'value'} ${first.message})`;
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // Not JSON is one of the damages that the schema check then reports.
    return undefined;
  }
}
