// One sight of a device, and what was seen at its port before -> what speaks for an attack. Pure. No list of vendors decides anything:
// ids are claims, and attackers claim those of keyboards everybody owns.
import type { InterfaceType } from '../policy-device.ts';

export interface DeviceSight {
  readonly port: string;
  readonly vendorId: string;
  readonly productId: string;
  /** '' for none. */
  readonly serial: string;
  readonly interfaces: readonly InterfaceType[];
  readonly uptimeMs: number;
}

export type EvidenceCode =
  | 'keyboard-and-storage'
  | 'keyboard-and-network'
  | 'class-change'
  | 'morphing-ids'
  | 'enumeration-rate'
  | 'machine-typing';

export interface Evidence {
  readonly code: EvidenceCode;
  readonly points: number;
  readonly why: string;
}

/** Words in the label of the rule that allows a device, each of which excuses what that kind of device does. */
export const excuses: Readonly<Record<string, readonly EvidenceCode[]>> = {
  composite: ['keyboard-and-storage', 'keyboard-and-network'],
  'mode-switch': ['class-change', 'morphing-ids', 'enumeration-rate'],
  'types-fast': ['machine-typing'],
  flaps: ['enumeration-rate'],
};

const WINDOW_MS = 60_000;
const FAST_PLUGS = 12;
/** Ten fingers make 15 keys a second, two reports a key; programs make hundreds. */
const FAST_REPORTS_A_SECOND = 60;

export function evidenceOf(now: DeviceSight, before: readonly DeviceSight[]): readonly Evidence[] {
  const recent = before.filter(({ uptimeMs }) => now.uptimeMs - uptimeMs <= WINDOW_MS);
  return [...combined(now), ...classChange(now, before), ...morphing(now, recent), ...rate(now, recent)];
}

export function typingEvidence(reportsPerSecond: number): readonly Evidence[] {
  if (reportsPerSecond < FAST_REPORTS_A_SECOND) return [];
  const why = `${Math.round(reportsPerSecond)} key reports a second; people make up to 30`;
  return [{ code: 'machine-typing', points: 100, why }];
}

function combined({ interfaces }: DeviceSight): readonly Evidence[] {
  if (!interfaces.some(isKeyboardLike)) return [];
  const storage = interfaces.some(({ class: code }) => code === 0x08);
  const network = interfaces.some(isNetwork);
  return [
    ...(storage ? [evidence('keyboard-and-storage', 100, 'it is a keyboard and a disk at once')] : []),
    ...(network
      ? [evidence('keyboard-and-network', 100, 'it is a keyboard and a network card at once')]
      : []),
  ];
}

/** The same serial or, without one, the same ids at the same port, with other functions than before. */
function classChange(now: DeviceSight, before: readonly DeviceSight[]): readonly Evidence[] {
  // Any earlier sight: pulling the plug and coming again as the new self clears nothing.
  const earlier = before.find((each) => isSameDevice(each, now) && kindsOf(each) !== kindsOf(now));
  if (earlier === undefined) return [];
  const gainsKeyboard = now.interfaces.some(isKeyboardLike) && !earlier.interfaces.some(isKeyboardLike);
  const why = `the same device was ${kindsOf(earlier)} before and is ${kindsOf(now)} now`;
  return [evidence('class-change', gainsKeyboard ? 100 : 40, why)];
}

/** Other ids at one port within a minute. One change within a vendor is how modems leave their driver disk. */
function morphing(now: DeviceSight, recent: readonly DeviceSight[]): readonly Evidence[] {
  const ids = new Set([...recent, now].map(({ vendorId, productId }) => `${vendorId}:${productId}`));
  const vendors = new Set([...recent, now].map(({ vendorId }) => vendorId));
  if (ids.size < 2) return [];
  const turnsKeyboard =
    now.interfaces.some(isKeyboardLike) && recent.some((each) => !each.interfaces.some(isKeyboardLike));
  const afterModem = turnsKeyboard && wasModem(now, recent);
  const points =
    Math.max(0, 20 * (ids.size - 2)) +
    (vendors.size > 2 ? 40 : 0) +
    (turnsKeyboard ? 30 : 0) +
    (afterModem ? 50 : 0);
  const how = afterModem ? ', a disk and a network card before it was a keyboard' : '';
  return points === 0
    ? []
    : [evidence('morphing-ids', points, `${ids.size} different ids at this port within a minute${how}`)];
}

/** A modem leaves its driver disk and is a network card. None goes on to be a keyboard; boot loaders are disks, and no network cards. */
function wasModem({ vendorId }: DeviceSight, recent: readonly DeviceSight[]): boolean {
  const own = recent.filter((each) => each.vendorId === vendorId).flatMap(({ interfaces }) => interfaces);
  return own.some(({ class: code }) => code === 0x08) && own.some(isNetwork);
}

function rate(now: DeviceSight, recent: readonly DeviceSight[]): readonly Evidence[] {
  if (recent.length < FAST_PLUGS) return [];
  const isOne = recent.every((each) => isSameDevice(each, now) && kindsOf(each) === kindsOf(now));
  const why = `${recent.length + 1} plugs within a minute, ${isOne ? 'always the same device (a bad cable?)' : 'of different devices'}`;
  return [evidence('enumeration-rate', isOne ? 30 : 70, why)];
}

function evidence(code: EvidenceCode, points: number, why: string): Evidence {
  return { code, points, why };
}

function isSameDevice(a: DeviceSight, b: DeviceSight): boolean {
  const isSameId = a.vendorId === b.vendorId && a.productId === b.productId;
  return isSameId && a.serial === b.serial && (b.serial !== '' || a.port === b.port);
}

/** Boot keyboards, and HID that says keyboard without the boot subclass. */
function isKeyboardLike({ class: code, protocol }: InterfaceType): boolean {
  return code === 0x03 && protocol === 0x01;
}

/** Ethernet, NCM, mobile broadband models of CDC; RNDIS in its three spellings. Plain CDC serial ports are none. */
function isNetwork({ class: code, subclass, protocol }: InterfaceType): boolean {
  if (code === 0x02)
    return [0x06, 0x0c, 0x0d, 0x0e].includes(subclass) || (subclass === 0x02 && protocol === 0xff);
  return (
    (code === 0xe0 && subclass === 0x01 && protocol === 0x03) ||
    (code === 0xef && subclass === 0x04 && protocol === 0x01)
  );
}

function kindsOf({ interfaces }: DeviceSight): string {
  const codes = new Set(interfaces.map(({ class: code }) => code.toString(16).padStart(2, '0')));
  return `class ${[...codes].sort().join('+') || 'none'}`;
}
