// What the appliance says -> lines for a person. Names of devices are whatever the device claims: nothing in them moves the cursor.
import type { ApplianceFacts, LogLine } from '../../contracts/appliance-control.ts';
import type { HealthReport } from '../../contracts/health.ts';
import type { UsbDevice } from '../../contracts/usb-device.ts';

export interface ShownState extends ApplianceFacts {
  readonly source: string;
  readonly version: string;
  readonly simulated: boolean;
  readonly time: string;
  readonly health: HealthReport;
  readonly buffer: ApplianceFacts['buffer'] & { readonly waiting: number; readonly queued: number };
  readonly plugins: { readonly running: number; readonly total: number };
}

export function stateText(state: ShownState): string {
  const { buffer, health, led, plugins, simulated, source, uplink, version } = state;
  const age = buffer.oldestAgeSeconds ?? 0;
  const lines = [
    `${source.replace('urn:autoweave:', '')}  ${version}${simulated ? '  SIMULATED' : ''}`,
    `health    ${health.state}, as of ${state.time}`,
    `uplink    ${uplink.connected ? 'connected' : 'not connected'} since ${uplink.since}: ${uplink.detail}`,
    `buffer    ${buffer.waiting} waiting${buffer.waiting > 0 ? `, the oldest for ${Math.round(age)} s` : ''}, ${buffer.queued} in memory`,
    `plugins   ${plugins.running} of ${plugins.total} run`,
    `LED       ${led.state}`,
    ...Object.entries(health.parts)
      .filter(([, { state: part }]) => part !== 'ok')
      .map(
        ([name, part]) => `${part.state.padEnd(9)} ${name}: ${part.why} (confirmed ${part.ageSeconds} s ago)`,
      ),
  ];
  return toText(lines);
}

export interface ShownDevice extends UsbDevice {
  readonly verdict: { readonly target: string | null; readonly reason: string | null };
}

export function devicesText(devices: readonly ShownDevice[]): string {
  const lines = devices.map((device) => {
    const { port, verdict } = device;
    const ids = `${device.vendorId ?? '????'}:${device.productId ?? '????'}`;
    const name = [device.manufacturer ?? device.vendorName, device.product ?? device.productName]
      .filter((part) => part !== undefined)
      .join(' ');
    const judged = verdict.target === null ? '' : `  ${verdict.target} (${verdict.reason ?? ''})`;
    return `${port.padEnd(10)} ${ids}  ${name || 'unnamed'}${judged}`;
  });
  return toText(lines.length === 0 ? ['no device is plugged in'] : lines);
}

export function eventText({ id, time, type, subject }: Readonly<Record<string, unknown>>): string {
  return toText([`${String(time)}  ${String(id).padEnd(14)} ${String(type).padEnd(24)} ${String(subject)}`]);
}

export function logText({ time, level, part, text }: LogLine): string {
  return toText([`${time} ${level.padEnd(5)} ${part}: ${text}`]);
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line.replace(/\p{C}+/gu, ' ')}\n`).join('');
}
