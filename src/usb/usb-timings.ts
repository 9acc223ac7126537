/** How long the USB watch waits for what; tests wait less. */
export interface UsbTimings {
  /** How long a device's strings may keep its change, and all that follow, waiting. */
  readonly stringsMs: number;
  /** A udev `add` without `bind` means ready after so long. */
  readonly readyFallbackMs: number;
  /** How often gaps, silence and the cross-check are looked at. */
  readonly tickMs: number;
  /** How often the bus is scanned while the monitor is down. */
  readonly pollMs: number;
  /** How long a finished scan waits for the records of what happened before its end while the monitor prints nothing. */
  readonly catchUpMs: number;
  /** The same for a later scan that found what no record has told: on a busy machine the monitor is late. */
  readonly lateMonitorMs: number;
  /** How long it waits for the verdicts on what it found, so that it can tell them with the devices; later ones are changes. */
  readonly verdictsMs: number;
  /** What a scan finds, a record may explain for so long afterwards. */
  readonly stallGraceMs: number;
  readonly udevPatienceMs: number;
  readonly crossCheckGraceMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly steadyMs: number;
  readonly killMs: number;
  readonly readyMs: number;
}

export const usbTimings: UsbTimings = {
  stringsMs: 200,
  readyFallbackMs: 2_000,
  tickMs: 1_000,
  pollMs: 2_000,
  catchUpMs: 100,
  lateMonitorMs: 2_000,
  verdictsMs: 100,
  stallGraceMs: 2_000,
  udevPatienceMs: 30_000,
  crossCheckGraceMs: 3_000,
  backoffMinMs: 100,
  backoffMaxMs: 5_000,
  steadyMs: 10_000,
  killMs: 500,
  readyMs: 1_000,
};
