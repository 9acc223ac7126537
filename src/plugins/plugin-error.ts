// What can be wrong with running plugins, as a closed list of codes. Refusals of bundles have codes of their own in bundle/.
import { AppError } from '../lib/app-error.ts';

export type PluginErrorCode =
  /** A layer of the boundary (cgroup delegation, user namespaces, bubblewrap, seccomp) cannot be had here. */
  | 'plugins.no-boundary'
  /** A limit could not be written to the plugin's cgroup. */
  | 'plugins.limit-not-set'
  /** The host process ended before the plugin ran. */
  | 'plugins.start-failed'
  | 'plugins.start-timeout'
  /** The plugin's own code threw while it started. */
  | 'plugins.code-failed'
  | 'plugins.unresponsive'
  | 'plugins.out-of-memory'
  | 'plugins.exited'
  /** A message of the plugin's process broke the protocol or a hard bound. */
  | 'plugins.violation'
  | 'plugins.circuit-open'
  | 'plugins.not-installed'
  | 'plugins.downgrade'
  | 'plugins.no-previous-version'
  | 'plugins.too-many'
  | 'plugins.incompatible-api'
  | 'plugins.config-refused'
  | 'plugins.registry-damaged'
  | 'plugins.registry-unwritable'
  /** What the plugin has stored is there and cannot be read. */
  | 'plugins.kv-unreadable'
  | 'plugins.disabled'
  /** The operating system refused what was needed: room, descriptors, processes. It is tried again. */
  | 'plugins.system'
  /** All unpacked code together would be more than is kept in memory. */
  | 'plugins.no-room'
  | 'plugins.busy'
  | 'plugins.stopping';

export class PluginError extends AppError<PluginErrorCode> {}
