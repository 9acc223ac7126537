// What the daemon tells a plugin's process. The host's main thread takes `open`, `ping`, `terminate` for itself; the rest is the worker's.

export type ToHost =
  /** First message: start the worker with this. */
  | {
      readonly t: 'open';
      readonly name: string;
      readonly version: string;
      /** Below /plugin. */
      readonly entry: string;
      readonly config: unknown;
      /** Of V8 in the worker; the cgroup is what holds. */
      readonly heapMiB: number;
      /** Failed tries of one event before it is given back. */
      readonly tries: number;
    }
  /** `json` is the CloudEvent as it is stored. */
  | { readonly t: 'event'; readonly n: number; readonly json: string }
  | { readonly t: 'answer'; readonly r: number; readonly ok: true; readonly value: unknown }
  | {
      readonly t: 'answer';
      readonly r: number;
      readonly ok: false;
      readonly code: string;
      readonly reason: string;
    }
  | { readonly t: 'serial-data'; readonly stream: number; readonly base64: string }
  | { readonly t: 'serial-closed'; readonly stream: number; readonly why: string }
  | { readonly t: 'ping'; readonly n: number }
  /** Finish what is begun, run the plugin's own `stop`, and end. */
  | { readonly t: 'stop' }
  /** End the worker at once and the process after it. */
  | { readonly t: 'terminate' };
