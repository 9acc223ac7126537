// What the parts count. `telemetry/` makes Prometheus metrics of it; tests pass a recorder.

export interface Counter<Labels extends string = never> {
  add(amount: number, labels?: Readonly<Record<Labels, string>>): void;
}
export interface Gauge<Labels extends string = never> {
  set(value: number, labels?: Readonly<Record<Labels, string>>): void;
}
export interface Histogram<Labels extends string = never> {
  observe(value: number, labels?: Readonly<Record<Labels, string>>): void;
}

export interface UsbMetrics {
  /** Records read from each source (`kernel`, `udev`, `spool`, `scan`, `libusb`). */
  readonly sourceRecords: Counter<'source'>;
  /** 1 while a source works, 0 while it is lost. */
  readonly sourceUp: Gauge<'source'>;
  /** Records or descriptors that were refused or only partly readable, by stable code. */
  readonly malformed: Counter<'code'>;
  /** Attach and detach records of the kernel that the `usb` package never reported. */
  readonly crossCheckMissed: Counter<'kind'>;
  readonly devices: Gauge;
  /** What was plugged in and did not become a working device, by stable code. */
  readonly portFailures: Counter<'code'>;
  /** From the kernel's record of a device to its first written verdict. */
  readonly authorizationDelay: Histogram;
}
export interface EventsMetrics {
  readonly made: Counter<'type'>;
  /** Changes that several sources reported, counted once. */
  readonly deduplicated: Counter;
  /** Transitions folded by debounce or by the rate limit. */
  readonly folded: Counter<'cause'>;
}
export interface BufferMetrics {
  readonly redisConnected: Gauge;
  readonly appended: Counter;
  readonly dropped: Counter<'reason'>;
  /** Seconds from the kernel record to Redis's reply that it is fsynced. */
  readonly eventLatency: Histogram;
  readonly appendDuration: Histogram;
  /** Events in the stream that the slowest consumer has not acknowledged. */
  readonly depth: Gauge;
  readonly queued: Gauge;
  readonly oldestAge: Gauge;
  readonly bytes: Gauge;
  /** Events moved from Redis to the archive. */
  readonly spilled: Counter;
  readonly archived: Gauge;
  readonly archiveBytes: Gauge;
}
export interface UplinkMetrics {
  readonly connected: Gauge;
  readonly connects: Counter;
  readonly published: Counter;
  readonly resent: Counter;
  readonly refused: Counter<'reason'>;
  /** Messages of the broker that came faster than allowed and were not handled. */
  readonly inboundRefused: Counter;
  readonly inFlight: Gauge;
  readonly ackDuration: Histogram;
}
export interface WebhookMetrics {
  /** 1 after an accepted request, 0 after a failed one. */
  readonly up: Gauge<'webhook'>;
  readonly delivered: Counter<'webhook'>;
  /** Failed requests, by HTTP status or error code. */
  readonly failed: Counter<'webhook' | 'reason'>;
  readonly skipped: Counter<'webhook'>;
  readonly requestDuration: Histogram<'webhook'>;
}
export interface StatusMetrics {
  readonly requests: Counter<'route' | 'code'>;
  readonly sseClients: Gauge;
}
export interface PluginMetrics {
  readonly running: Gauge;
  readonly blocked: Gauge;
}
export interface Metrics {
  readonly usb: UsbMetrics;
  readonly events: EventsMetrics;
  readonly buffer: BufferMetrics;
  readonly uplink: UplinkMetrics;
  readonly webhooks: WebhookMetrics;
  readonly status: StatusMetrics;
  readonly plugins: PluginMetrics;
}
