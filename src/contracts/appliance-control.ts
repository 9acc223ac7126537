// What page, API and local socket may ask the running appliance for beyond reading; given by the supervisor.
import type { PluginControl } from './plugin-status.ts';
import type { TrustControl } from './trust-control.ts';
import type { UsbVerdict } from './usb-policy.ts';

/** Outcome of something that was asked for. */
export type ActVerdict =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly code: string; readonly reason: string };

export interface LogLine {
  readonly time: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly part: string;
  readonly text: string;
}

/** What the state document says beyond health. */
export interface ApplianceFacts {
  readonly uplink: { readonly connected: boolean; readonly since: string; readonly detail: string };
  readonly buffer: {
    readonly oldestAgeSeconds: number | null;
    readonly bytes: number | null;
    readonly archiveBytes: number | null;
    readonly archivedEvents: number | null;
  };
  readonly led: { readonly state: string; readonly reason: string; readonly since: string };
  readonly uptimeSeconds: number;
  readonly provisioned: boolean;
}

export interface SetUp {
  readonly tenant: string;
  readonly site: string;
  readonly name: string;
  readonly broker: { readonly url: string; readonly user?: string; readonly password?: string };
  readonly network?: Readonly<Record<string, unknown>>;
  readonly timeServers?: readonly string[];
  readonly replace?: boolean;
}

export interface DeviceJudgement {
  readonly port: string;
  readonly target: 'allow' | 'block';
  readonly reason: string;
  /** Of the device that was looked at: when another one is at the port by now, nothing is judged. */
  readonly address?: number | undefined;
}

export interface ApplianceControl {
  /** null: this run has no plugins. */
  plugins(): PluginControl | null;
  trust(): TrustControl;
  facts(): ApplianceFacts;
  /** Newest last. */
  logs(options: { readonly level: LogLine['level']; readonly limit: number }): readonly LogLine[];
  /** The configuration in force; what is secret is null, and listed. */
  settings(): { readonly config: unknown; readonly hidden: readonly string[] };
  /** What the USB policy says of what is at this port, and since when; null: nothing yet, or there is no policy. */
  verdictAt(port: string): { readonly verdict: UsbVerdict; readonly since: string } | null;
  /** A rule for this device is put before all others. */
  judgeDevice(asked: DeviceJudgement): Promise<ActVerdict>;
  identify(seconds: number): ActVerdict;
  /** gzip; without secrets. */
  diagnostics(): Promise<Uint8Array>;
  setUp(asked: SetUp): Promise<ActVerdict>;
  askMachine(what: 'reboot' | 'factory-reset'): Promise<ActVerdict>;
}
