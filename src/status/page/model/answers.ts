// What the API says to the page, as the page reads it. The shapes that others share come from contracts/.
import type { HealthReport } from '../../../contracts/health.ts';
import type { PluginLogLine, PluginStatus } from '../../../contracts/plugin-status.ts';
import type { UsbDevice } from '../../../contracts/usb-device.ts';
import type { UsbPortState } from '../../../contracts/usb-port-state.ts';
import type { LedState } from '../../leds/led-states.ts';

export type Role = 'viewer' | 'operator' | 'admin';
/** What the appliance takes; fields of forms say so before it is sent. */
export const userNamePattern = '[a-z][a-z0-9._\\-]{0,31}';
export const passwordMinLength = 10;

/** On every GET answer. */
export interface Stamp {
  readonly source: string;
  readonly simulated: boolean;
  readonly time: string;
  readonly clock: 'synced' | 'unsynced';
  readonly lastEventId?: string | null;
}

export interface SessionAnswer {
  readonly user: { readonly name: string; readonly role: Role } | null;
  readonly csrf: string | null;
  /** null: no user is logged in. */
  readonly totp: boolean | null;
  readonly claimed: boolean;
  readonly tls: boolean;
  readonly publicReads: 'state' | 'all';
}

export interface BufferState {
  readonly waiting: number;
  readonly queued: number;
  readonly oldestAgeSeconds?: number | null;
  readonly bytes?: number | null;
  readonly archiveBytes?: number | null;
  readonly archivedEvents?: number | null;
}

export interface StateAnswer extends Stamp {
  readonly version: string;
  readonly ready: boolean;
  readonly health: HealthReport;
  readonly buffer: BufferState;
  readonly uplink?: { readonly connected: boolean; readonly since: string | null; readonly detail: string };
  readonly led?: { readonly state: LedState; readonly reason: string; readonly since: string };
  readonly plugins?: { readonly running: number; readonly total: number };
  readonly uptimeSeconds?: number;
  readonly provisioned?: boolean;
}

export interface DeviceVerdict {
  readonly target: 'allow' | 'block' | 'reject' | null;
  readonly rule: string | null;
  readonly reason: string | null;
  readonly at: string | null;
}

export type Device = UsbDevice & { readonly verdict?: DeviceVerdict };

export type PortState = UsbPortState;

export interface DevicesAnswer extends Stamp {
  readonly restsOn: HealthReport['parts'];
  readonly devices: readonly Device[];
  readonly ports: readonly PortState[];
}

export interface PluginsAnswer extends Stamp {
  readonly plugins: readonly PluginStatus[];
}

export interface PluginLogsAnswer extends Stamp {
  readonly lines: readonly PluginLogLine[];
}

export interface ApplianceEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly clock?: 'synced' | 'unsynced';
  readonly data: Readonly<Record<string, unknown>>;
}

export interface HistoryAnswer extends Stamp {
  readonly events: readonly ApplianceEvent[];
  readonly next: string | null;
}

export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly part: string | null;
  readonly text: string;
}

export interface LogsAnswer extends Stamp {
  readonly lines: readonly LogLine[];
}

export interface SettingsAnswer extends Stamp {
  readonly config: Readonly<Record<string, unknown>>;
  readonly hidden: readonly string[];
}

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly totp: boolean;
  readonly since: string;
}

export interface UsersAnswer extends Stamp {
  readonly users: readonly User[];
}

export interface Token {
  readonly name: string;
  readonly role: Role;
  readonly since: string;
}

export interface TokensAnswer extends Stamp {
  readonly tokens: readonly Token[];
}

export interface AuditAnswer extends Stamp {
  readonly entries: readonly {
    readonly n: number;
    readonly at: string;
    readonly who: string;
    readonly role: string;
    readonly from: string;
    readonly act: string;
    readonly outcome: string;
    readonly detail: string;
  }[];
  readonly next: string | number | null;
}
