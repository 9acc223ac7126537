// What every plugin of this appliance is given to live on; made once by start-plugins.ts from what the supervisor hands in.
import type { AppendEvents, OpenConsumer, ReadEvents, RemoveConsumer } from '../../contracts/buffer.ts';
import type { Clock } from '../../contracts/clock.ts';
import type { PluginsConfig } from '../../contracts/config/plugins-config.ts';
import type { EventId } from '../../contracts/event.ts';
import type { EventData, EventType } from '../../contracts/event-types.ts';
import type { Log } from '../../contracts/log.ts';
import type { PluginLogLine } from '../../contracts/plugin-status.ts';
import type { Registry } from '../registry/open-registry.ts';
import type { ValidatedBundles } from '../registry/validated-bundles.ts';
import type { Boundary } from '../sandbox/open-boundary.ts';

export type PluginEventType = Extract<EventType, `plugin.${string}` | `security.${string}`>;

export interface PluginWorld {
  readonly config: PluginsConfig;
  readonly registry: Registry;
  readonly bundles: ValidatedBundles;
  readonly boundary: Boundary;
  /** Whether plugins may run although a layer is missing. */
  readonly insecure: boolean;
  /** `major:minor` of the disk that io.max is about; null: none. */
  readonly disk: string | null;
  readonly sysfsRoot: string;
  readonly devRoot: string;
  readonly read: ReadEvents;
  readonly append: AppendEvents;
  readonly onAppended: (listener: (lastId: EventId) => void) => () => void;
  readonly openConsumer: OpenConsumer;
  readonly removeConsumer: RemoveConsumer;
  readonly clock: Clock;
  /** It is no earlier than this, whatever the clock says: what is trusted was issued then. By wall time; 0: nothing is known. */
  readonly provenMs: () => Promise<number>;
  readonly random: () => number;
  readonly traceparent: () => string;
  readonly log: Log;
  readonly say: <T extends PluginEventType>(type: T, subject: string, data: EventData<T>) => void;
  readonly publish: (
    name: string,
    topic: string,
    payload: string,
    retain: boolean,
  ) => Promise<{ readonly code: string; readonly reason: string } | null>;
  /** name -> version of what is installed. */
  readonly installed: () => ReadonlyMap<string, string>;
  /** Hears each line of a plugin's log; for trials at a desk. */
  readonly onLog?: (name: string, line: PluginLogLine) => void;
  /** The status of a plugin is another one now. */
  readonly onChange: (name: string) => void;
}
