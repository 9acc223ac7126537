// What the supervisor gives the uplink.
import type { Cursor, ReadEvents } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { UplinkConfig } from '../contracts/config/uplink-config.ts';
import type { EventId } from '../contracts/event.ts';
import type { EventData, EventType } from '../contracts/event-types.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { UplinkMetrics } from '../contracts/metrics.ts';
import type { ApplianceName } from '../contracts/topics.ts';
import type { InventoryFacts, StateFacts } from './document-maker.ts';

interface Said<Type extends EventType> {
  readonly type: Type;
  readonly subject: string;
  readonly data: EventData<Type>;
}
/** What the uplink has to say for itself; the supervisor makes events of it. */
export type UplinkEvent = Said<'uplink.connected'> | Said<'uplink.lost'> | Said<'buffer.gap'>;
export type WebhookEvent = Said<'uplink.webhook-disabled'> | Said<'uplink.webhook-skipped'>;

export interface UplinkOptions {
  readonly config: UplinkConfig;
  readonly appliance: ApplianceName;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: UplinkMetrics;
  readonly log: Log;
  readonly report: ReportHealth;
  readonly read: ReadEvents;
  readonly cursor: Cursor;
  /** Resolves once everything up to `id` may leave the appliance. */
  readonly mayPublish: (id: EventId) => Promise<void>;
  /** Calls the listener with the last id after each append, until the returned function is called. */
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  readonly stateDocument: () => StateFacts;
  readonly inventoryDocument: () => InventoryFacts;
  readonly onEvent: (event: UplinkEvent) => void;
  readonly version: string;
  readonly simulated: boolean;
  /** An event without PUBACK for so long ends the connection. */
  readonly ackTimeoutMs?: number;
}
