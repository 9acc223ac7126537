// Spool and scan -> changes that end with a snapshot: what happened while nobody listened, as far as it can be known.
import type { Clock } from '../contracts/clock.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { UsbMetrics } from '../contracts/metrics.ts';
import type { Certainty, UsbChange } from '../contracts/usb-change.ts';
import type { LiveRecords } from './live-records.ts';
import type { SpoolRecord } from './parse-spool.ts';
import type { ReadDevice } from './read-devices.ts';
import { emptySpool, readSpool, type SpoolFile } from './read-spool.ts';
import { replaySpool } from './replay-spool.ts';
import { scanSysfs } from './scan-sysfs.ts';
import { type Coverage, type Gap, leadsTo, spoolCoverage } from './spool-coverage.ts';
import { readUdevdStart } from './udevd-start.ts';
import type { UsbNames } from './usb-names.ts';

export type Snapshot = Extract<UsbChange, { readonly kind: 'snapshot' }>;

export interface Reconciler {
  /**
   * The spool from the gap on, then a scan (null: the bus cannot be read). `known`: port -> address of what was plugged in when the gap
   * began.
   */
  bridge(
    reason: Snapshot['reason'],
    gap: Gap,
    known: ReadonlyMap<string, number>,
  ): Promise<{
    readonly changes: readonly UsbChange[];
    readonly spooled: readonly SpoolRecord[];
    readonly snapshot: Snapshot | null;
  }>;
  /** A scan alone; null when the bus cannot be read. */
  look(reason: Snapshot['reason'], certainty: Certainty): Promise<Snapshot | null>;
  /** Keeps the spool below its limit while all it tells is known from the monitor anyway. */
  tidy(): void;
}

export interface ReconcilerOptions {
  readonly clock: Clock;
  readonly metrics: Pick<UsbMetrics, 'malformed' | 'sourceRecords' | 'sourceUp'>;
  readonly names: UsbNames;
  readonly readDevice: ReadDevice;
  readonly follow: LiveRecords['follow'];
  readonly folderOf: (port: string) => string;
  readonly sysfsRoot: string;
  readonly procRoot: string;
  readonly spoolFile: string;
  readonly reportScan: ReportHealth;
  readonly reportSpool: ReportHealth;
}

/** Half of what the helper writes at most. */
const TIDY_BYTES = 524_288;
/** A line that comes between reading and emptying asks for another reading. */
const TIDY_TRIES = 3;

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { clock, metrics, reportScan, reportSpool, spoolFile, sysfsRoot } = options;

  const look: Reconciler['look'] = async (reason, certainty) => {
    const observed = clock.now();
    const scan = await scanSysfs(sysfsRoot, options.readDevice);
    if (typeof scan === 'string') {
      metrics.sourceUp.set(0, { source: 'scan' });
      reportScan(
        'down',
        `${sysfsRoot}/bus/usb/devices cannot be read (${scan}): no USB host controller, or its driver is not loaded`,
      );
      return null;
    }
    const { devices, seqnum, isCut, later } = scan;
    metrics.sourceUp.set(1, { source: 'scan' });
    metrics.sourceRecords.add(devices.length, { source: 'scan' });
    if (isCut) reportScan('degraded', `more devices than a bus can have; only ${devices.length} were read`);
    else reportScan('ok', `devices found by the last scan: ${devices.length}`);
    for (const each of later) options.follow(each, { source: 'scan', seqnum: null });
    return {
      kind: 'snapshot',
      source: 'scan',
      observed,
      reason,
      certainty,
      devices,
      blindSinceUptimeMs: null,
      seqnum,
    };
  };

  const empty = (file: Extract<SpoolFile, { ok: true }>) =>
    emptySpool(spoolFile, {
      ...{ bootId: clock.bootId, uptimeMs: clock.uptimeMs() },
      ...{ seqnum: highestOf(file), size: file.size },
    });

  const tellNotEmptied = (errno: string) =>
    reportSpool(
      'degraded',
      `${spoolFile} cannot be emptied (${errno}) and will be full one day: make the file writable for the runtime's group, see udev/README.md`,
    );
  const tellSpool = (file: SpoolFile, coverage: Coverage, emptied: ReturnType<typeof empty> | null) => {
    metrics.sourceUp.set(file.ok ? 1 : 0, { source: 'spool' });
    if (!file.ok)
      reportSpool(
        'down',
        `${spoolFile} cannot be read (${file.errno}): install the rules of udev/ and create its folder, or plugs while the daemon is down go unseen`,
      );
    else if (emptied !== null && typeof emptied === 'object') tellNotEmptied(emptied.errno);
    else reportSpool('ok', `${file.spool.records.length} uevents read; ${coverage.why}`);
  };

  return {
    look,
    async bridge(reason, gap, known) {
      const file = readSpool(spoolFile, clock.bootId);
      const coverage = spoolCoverage(gap, file, readUdevdStart(options.procRoot));
      const spooled = file.ok ? file.spool.records.filter(isAfter(gap)) : [];
      if (file.ok) {
        metrics.sourceRecords.add(file.spool.records.length, { source: 'spool' });
        for (const code of file.spool.refused) metrics.malformed.add(1, { code });
      }
      const plugs = spooled.filter(({ isSynthetic }) => !isSynthetic);
      const changes = await replaySpool(plugs, options);
      const snapshot = await look(reason, coverage.certainty);
      // Nothing is removed that the store may not have yet, unless the file can take no more.
      const isDone = file.ok && (spooled.length === 0 || file.spool.isFull);
      tellSpool(file, coverage, isDone ? empty(file) : null);
      if (snapshot === null) return { changes, spooled, snapshot };
      const isProved = coverage.certainty === 'complete' && leadsTo(known, plugs, snapshot.devices);
      const certainty = isProved ? 'complete' : 'net-state-only';
      const { blindSinceUptimeMs } = coverage;
      return { changes, spooled, snapshot: { ...snapshot, certainty, blindSinceUptimeMs } };
    },
    tidy() {
      for (let left = TIDY_TRIES; left > 0; left -= 1) {
        const file = readSpool(spoolFile, clock.bootId);
        if (!file.ok || file.size <= TIDY_BYTES) return;
        const emptied = empty(file);
        if (emptied === 'emptied') return;
        if (emptied !== 'has grown') return tellNotEmptied(emptied.errno);
      }
    },
  };
}

function isAfter({ afterSeqnum }: Gap) {
  return ({ seqnum }: SpoolRecord) => afterSeqnum === null || seqnum > afterSeqnum;
}

function highestOf({ spool: { records, emptied } }: Extract<SpoolFile, { ok: true }>): number {
  return Math.max(records.at(-1)?.seqnum ?? 0, emptied?.seqnum ?? 0);
}
