// What a plugin is and what it is given. A plugin's author needs this file and nothing else of the product; it imports nothing.

/** Version of this API; a manifest's `api` names the lowest that will do. */
export const pluginApiVersion = '1.0';

/** A CloudEvent as the appliance stored it. Give it to `emit` as `causedBy`, and both are one trace. */
export interface PluginEvent<Data = Readonly<Record<string, unknown>>> {
  /** `<generation>-<number>`; the same event delivered again has the same id. */
  readonly id: string;
  readonly type: string;
  /** What it is about: `usb/1-1.4`. */
  readonly subject: string;
  /** RFC 3339, UTC, as the appliance's clock said; `clock` says whether that was right. */
  readonly time: string;
  readonly clock: 'synced' | 'unsynced';
  readonly bootid: string;
  /** Milliseconds since that boot. */
  readonly uptimems: number;
  readonly traceparent: string;
  /** The devices are replayed recordings, not a real bus. */
  readonly simulated?: true;
  readonly data: Data;
}

/** `data` of usb.device.added, ready and changed: `event.data as UsbDeviceData`. Strings are the device's own claim. */
export type UsbDeviceData = {
  readonly device: UsbDevice;
};

/** `data` of usb.device.removed: the device as it was last known. */
export type UsbDeviceGone = {
  readonly port: string;
  readonly device: UsbDevice | null;
};

/** Two hex digits each. A keyboard's interface is 03 01 01, a mouse's 03 01 02, a disk's 08 06 50; vendor specific is ff. */
export interface UsbClass {
  readonly class: string;
  readonly subclass: string;
  readonly protocol: string;
}

export interface UsbInterface extends UsbClass {
  readonly configuration: number;
  readonly number: number;
  readonly alternate: number;
}

export interface UsbDevice {
  /** The kernel's name of the socket: `1-1.4`. */
  readonly port: string;
  /** SHA-256 over the descriptors, the same in every socket; null when they could not be read. */
  readonly identity: string | null;
  readonly vendorId?: string;
  readonly productId?: string;
  readonly vendorName?: string;
  readonly productName?: string;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serial?: string;
  /** 00 00 00 in most: then the interfaces say what it is. */
  readonly deviceClass?: UsbClass;
  /** What it can do, one entry for each function: a keyboard with a hub or a card reader has several. */
  readonly interfaces: readonly UsbInterface[];
}

/** Thrown by everything that asks the appliance; `code` is stable. */
export interface PluginApiError extends Error {
  /** `permission.denied`, `kv.quota`, `kv.too-large`, `mqtt.offline`, `mqtt.refused`, `serial.gone`, `serial.busy`, `request.malformed` … */
  readonly code: string;
}

export interface PluginLog {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** Small values that survive restarts and upgrades; permission `kv`. */
export interface PluginStore {
  /** undefined when there is none. */
  get(key: string): Promise<unknown>;
  /** Resolves once it is on disk. `value` is anything JSON can say, 64 KiB at most. */
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  keys(): Promise<readonly string[]>;
}

/** Messages below `autoweave/v1/<tenant>/<site>/<appliance>/plugin/<name>/`; permission `mqtt`. */
export interface PluginMqtt {
  /** Resolves once the broker has it; rejects with `mqtt.offline` when there is none now. What must not be lost is an event: `emit`. */
  publish(topic: string, payload: string, options?: { readonly retain?: boolean }): Promise<void>;
}

export interface SerialPort {
  /** What `open` takes: `ttyUSB0`. */
  readonly name: string;
  /** Subject of the device's events: `usb/1-1.4`. */
  readonly subject: string;
  readonly vendorId: string;
  readonly productId: string;
}

export interface SerialOptions {
  readonly baudRate?: number;
  readonly dataBits?: 7 | 8;
  readonly parity?: 'none' | 'even' | 'odd';
  readonly stopBits?: 1 | 2;
}

/** `for await (const bytes of stream)` ends when the device leaves or the stream is closed. */
export interface SerialStream extends AsyncIterable<Uint8Array> {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Serial ports of the devices that the permission `serial` names. */
export interface PluginSerial {
  list(): Promise<readonly SerialPort[]>;
  /** Default: 9600 baud, 8 data bits, no parity, 1 stop bit. */
  open(port: string, options?: SerialOptions): Promise<SerialStream>;
}

export interface PluginContext<Config = unknown> {
  readonly name: string;
  readonly version: string;
  /** As the appliance's configuration has it; checked against the manifest's `configSchema`. */
  readonly config: Config;
  readonly log: PluginLog;
  /**
   * Puts the event `plugin.<name>.<type>` into the appliance's stream; permission `emit`. Resolves with its id once it is on disk:
   * from then on it reaches the centre. An event that is handled again emits again.
   */
  emit(
    type: string,
    data: Readonly<Record<string, unknown>>,
    options?: { readonly causedBy?: PluginEvent },
  ): Promise<string>;
  readonly kv: PluginStore;
  readonly mqtt: PluginMqtt;
  readonly serial: PluginSerial;
  /** Calls `work` again and again until the plugin stops; what it throws is logged. Returns what ends it. */
  every(periodMs: number, work: () => void | Promise<void>): () => void;
  /** Aborted when the plugin is to stop; it then has about a second. */
  readonly signal: AbortSignal;
}

export interface Plugin<Config = unknown> {
  /**
   * Left out: events are handled one after the other, in order. `subjects`: those of different subjects side by side, those of one
   * subject one after the other; then two handlers may meet in the same value of the store.
   */
  readonly parallel?: 'subjects';
  /** Before the first event. What it throws fails the start. */
  start?(context: PluginContext<Config>): void | Promise<void>;
  /**
   * Once for each event subscribed to. Resolving acknowledges; what it throws brings the event again, three
   * times in all, then it is put aside and reported. May be called again for an event after a crash.
   */
  onEvent?(event: PluginEvent, context: PluginContext<Config>): void | Promise<void>;
  /** After the last event. */
  stop?(context: PluginContext<Config>): void | Promise<void>;
}

/** Gives the types; the module's default export is what it returns. */
export function definePlugin<Config = unknown>(plugin: Plugin<Config>): Plugin<Config> {
  return plugin;
}
