// What the appliance says -> lines for a person. Names of devices are whatever the device claims: nothing in them moves the cursor.
import type { AuditEntry } from '../../contracts/api-access.ts';
import type { ApplianceFacts, LogLine } from '../../contracts/appliance-control.ts';
import type { HealthReport } from '../../contracts/health.ts';
import type { UsbDevice } from '../../contracts/usb-device.ts';
import type { UsbPortState } from '../../contracts/usb-port-state.ts';
import { plainLine } from '../plain-text.ts';

export interface ShownState extends ApplianceFacts {
  readonly source: string;
  readonly version: string;
  readonly simulated: boolean;
  readonly time: string;
  readonly health: HealthReport;
  readonly buffer: ApplianceFacts['buffer'] & { readonly waiting: number; readonly queued: number };
  readonly plugins: { readonly running: number; readonly total: number };
}

/** @param shown `all`: also what is in order */
export function stateText(state: ShownState, shown: { readonly all: boolean } = { all: false }): string {
  const { buffer, health, led, plugins, simulated, source, uplink, version } = state;
  const age = buffer.oldestAgeSeconds ?? 0;
  const lines = [
    `${source.replace('urn:autoweave:', '')}  ${version}${simulated ? '  SIMULATED' : ''}`,
    `health    ${health.state}, as of ${state.time}`,
    `uplink    ${uplink.connected ? 'connected' : 'not connected'} since ${uplink.since}: ${uplink.detail}`,
    `buffer    ${buffer.waiting} waiting${buffer.waiting > 0 ? `, the oldest for ${Math.round(age)} s` : ''}, ${buffer.queued} in memory`,
    ...(shown.all ? [keptText(buffer)] : []),
    `plugins   ${plugins.running} of ${plugins.total} run`,
    `LED       ${led.state}${shown.all ? `: ${led.reason}, since ${led.since}` : ''}`,
    ...Object.entries(health.parts)
      .filter(([, { state: part }]) => shown.all || part !== 'ok')
      .map(
        ([name, part]) => `${part.state.padEnd(9)} ${name}: ${part.why} (confirmed ${part.ageSeconds} s ago)`,
      ),
  ];
  return toText(lines);
}

function keptText({ bytes, archiveBytes, archivedEvents }: ShownState['buffer']): string {
  const orUnknown = (value: number | null, unit: string) => (value === null ? 'unknown' : `${value} ${unit}`);
  return `          ${orUnknown(bytes, 'bytes')} in Redis, ${orUnknown(archiveBytes, 'bytes')} in the archive (${orUnknown(archivedEvents, 'events')})`;
}

export interface ShownDevice extends UsbDevice {
  readonly verdict: { readonly target: string | null; readonly reason: string | null };
}

export function devicesText(devices: readonly ShownDevice[], ports: readonly UsbPortState[]): string {
  const lines = devices.map((device) => {
    const { port, verdict } = device;
    const ids = `${device.vendorId ?? '????'}:${device.productId ?? '????'}`;
    const name = [device.manufacturer ?? device.vendorName, device.product ?? device.productName]
      .filter((part) => part !== undefined)
      .join(' ');
    const judged = verdict.target === null ? '' : `  ${verdict.target} (${verdict.reason ?? ''})`;
    return `${port.padEnd(10)} ${ids}  ${name || 'unnamed'}${judged}`;
  });
  const others = ports.map(({ port, product, state, why, remedy }) =>
    [
      port.padEnd(10),
      ...(product === undefined ? [] : [`${product}:`]),
      state === 'enumerating' ? 'connecting …' : `does not work (${why ?? ''}). ${remedy ?? ''}`,
    ].join(' '),
  );
  return toText(lines.length + others.length === 0 ? ['no device is plugged in'] : [...lines, ...others]);
}

export function eventText({ id, time, type, subject }: Readonly<Record<string, unknown>>): string {
  return toText([`${String(time)}  ${String(id).padEnd(14)} ${String(type).padEnd(24)} ${String(subject)}`]);
}

export function logText({ time, level, part, text }: LogLine): string {
  return toText([`${time} ${level.padEnd(5)} ${part}: ${text}`]);
}

/** One line a setting: `usb.debounceMs  50`. */
export function settingsText(config: unknown, hidden: readonly string[]): string {
  const rows = leavesOf(config, '').map(([path, value]): readonly [string, string] => [
    path,
    hidden.includes(path) ? '(secret, set)' : value === null ? '(not set)' : JSON.stringify(value),
  ]);
  const width = Math.max(0, ...rows.map(([path]) => path.length));
  return toText(rows.map(([path, value]) => `${path.padEnd(width)}  ${value}`));
}

function leavesOf(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  const isBranch =
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length > 0 &&
    (!Array.isArray(value) || value.some((each) => typeof each === 'object'));
  if (!isBranch) return [[path, value ?? null]];
  return Object.entries(value).flatMap(([key, each]) => leavesOf(each, path === '' ? key : `${path}.${key}`));
}

export function auditText(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return toText(['nothing was done yet']);
  const width = Math.max(...entries.map(({ who }) => who.length));
  return toText(
    entries.map(
      ({ n, at, who, from, act, outcome, detail }) =>
        `${String(n).padStart(5)}  ${at}  ${who.padEnd(width)}  ${from.padEnd(15)}  ${outcome.padEnd(7)}  ${act}${detail === '' ? '' : `: ${detail}`}`,
    ),
  );
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${plainLine(line)}\n`).join('');
}
