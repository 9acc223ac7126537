// What the status server is given by the supervisor. What changes something goes through `control`.
import type { ApplianceControl } from '../contracts/appliance-control.ts';
import type { BufferDepth, ReadEvents } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { StatusConfig } from '../contracts/config/status-config.ts';
import type { EventId } from '../contracts/event.ts';
import type { HealthReport, ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { StatusMetrics } from '../contracts/metrics.ts';
import type { ApplianceName } from '../contracts/topics.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { UsbPortState } from '../contracts/usb-port-state.ts';
import type { KeptText } from './access/user-book.ts';
import type { StatusLimits } from './status-limits.ts';

export interface StatusOptions {
  readonly config: StatusConfig;
  readonly clock: Clock;
  readonly metrics: StatusMetrics;
  readonly log: Log;
  readonly report: ReportHealth;
  readonly health: () => HealthReport;
  /** true, or why not. */
  readonly isReady: () => boolean | string;
  readonly devices: () => readonly UsbDevice[];
  /** Where something is plugged in that is no device yet, or did not become one. */
  readonly ports: () => readonly UsbPortState[];
  readonly simulated: boolean;
  readonly version: string;
  readonly appliance: ApplianceName;
  readonly metricsText: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly read: ReadEvents;
  readonly lastId: () => EventId | null;
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  readonly depth: () => BufferDepth;
  readonly control: ApplianceControl;
  /** Users and tokens; mode 0600. */
  readonly users: KeptText;
  /** Folder of the audit. */
  readonly auditDir: string;
  /** Shown by the console alone; null: the appliance has an administrator. */
  readonly onClaimCode: (code: string | null) => void;
  /** Key and certificate in PEM; null: plain HTTP. */
  readonly tls: { readonly key: string; readonly cert: string } | null;
  /** Those of status-limits.ts where left out. */
  readonly limits?: Partial<StatusLimits>;
  /** Pause between attempts to get an address that is taken. */
  readonly retryMs?: number;
}
