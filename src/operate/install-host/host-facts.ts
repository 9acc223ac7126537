// What the planners know of the host; read once by read-host-facts.ts.
import type { InstallManifest } from './install-manifest.ts';
import type { NodeCandidate } from './node-candidates.ts';

export interface Present {
  readonly digest: string;
  /** null: a link has none. */
  readonly mode: number | null;
}

export interface HostFacts {
  readonly uid: number;
  /** The installation goes into a folder that some other system will boot from: nothing of it can be run here. */
  readonly offline: boolean;
  readonly hasSystemd: boolean;
  readonly hasRedis: boolean;
  /** /dev/kmsg is a device that can be handed to the runtime. */
  readonly hasKernelLog: boolean;
  /** Of os-release: ID and ID_LIKE. */
  readonly distributions: readonly string[];
  /** Best first. */
  readonly nodes: readonly NodeCandidate[];
  readonly bundle: Uint8Array | null;
  readonly manifest: InstallManifest | null;
  /** Every path of the layout, the manifest and the data that exists. Folders have the digest 'folder'. */
  readonly present: ReadonlyMap<string, Present>;
  readonly users: ReadonlySet<string>;
}
