// kernel -> UsbChange. Joins the sources: the monitor live, the spool for the time in which nobody listened, scans as the
// truth, the usb package as a cross-check. Any one may fail, the others carry on. Runs on the daemon's main thread. Longer
// than most files because the order of the sources is decided here and nowhere else.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../contracts/clock.ts';
import type { UsbConfig } from '../contracts/config/usb-config.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { UsbMetrics } from '../contracts/metrics.ts';
import type { UsbChange, UsbState } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { UsbGatekeeper } from '../contracts/usb-policy.ts';
import { errorText } from '../lib/error-text.ts';
import { createAuthorizationGate } from './authorization-gate.ts';
import { type CrossCheck, loadHotplugEmitter, startCrossCheck } from './cross-check.ts';
import { createHandOver } from './hand-over.ts';
import type { DeviceRecord } from './interpret-record.ts';
import { createLiveRecords } from './live-records.ts';
import { createDeviceReader } from './read-devices.ts';
import { readAddress, readAuthorized, readRawDevice } from './read-raw-device.ts';
import { createReadyWatch } from './ready-watch.ts';
import { createReconciler, type Snapshot } from './reconcile.ts';
import { readUeventSeqnum } from './scan-sysfs.ts';
import type { Gap } from './spool-coverage.ts';
import { createStringReader } from './string-reader.ts';
import { readUsbIds } from './usb-ids-source.ts';
import { createUsbNames } from './usb-names.ts';
import { type UsbTimings, usbTimings } from './usb-timings.ts';
import { watchMonitor } from './watch-monitor.ts';

const CATCH_UP_STEP_MS = 2;

export type UsbPart = 'usb-monitor' | 'usb-scan' | 'usb-spool' | 'usb-cross-check' | 'usb-policy';

export interface UsbWatchOptions {
  readonly config: UsbConfig;
  readonly clock: Clock;
  readonly metrics: UsbMetrics;
  readonly log: Log;
  readonly report: (part: UsbPart) => ReportHealth;
  /** What was stored before the last stop. */
  readonly known: UsbState | null;
  /** Called synchronously, in order. */
  readonly take: (changes: readonly UsbChange[]) => void;
  /** Decides about authorization; left out: authorization is left alone. */
  readonly gatekeeper?: UsbGatekeeper | undefined;
  readonly procRoot?: string;
  readonly timings?: Partial<UsbTimings>;
}

export interface UsbWatch {
  rescan(): Promise<void>;
  /** The policy has changed: what it says now is done. Resolves once it is. */
  rejudge(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Resolves once the start reconciliation (spool and scan) has been handed over.
 *
 * INVARIANTS
 * - The monitor is subscribed before the spool is read, and the spool is read before the scan: what happens meanwhile is in
 *   a later source again, never in none.
 * - Everything goes through one lane, so changes are handed over in the order in which their records were seen. A snapshot follows
 *   the records of all that had happened when the scan ended: a short plug between two others on one port is told in its turn.
 */
export async function startUsbWatch(options: UsbWatchOptions): Promise<UsbWatch> {
  const { clock, config, log, metrics } = options;
  const timings = { ...usbTimings, ...options.timings };
  const known = options.known?.bootId === clock.bootId ? options.known : null;
  const folderOf = (port: string) => path.join(config.sysfsRoot, 'bus/usb/devices', port);
  const onFailure = (cause: unknown) =>
    log.error({ cause: errorText(cause) }, 'a reading of the USB bus failed');

  const { lane, view, cover } = createHandOver({ clock, known, take: options.take, onFailure });
  const names = createUsbNames(readUsbIds, (cause) =>
    log.warn({ cause: errorText(cause) }, 'no usb.ids: devices are shown without vendor and product names'),
  );
  const readStrings = createStringReader();
  /** What became of a device since it was read: reading strings and scanning take longer than a verdict. */
  const annotate = (device: UsbDevice): UsbDevice => {
    if (gate === null) return device;
    const { port, address } = device;
    const policy = gate.verdictOf(port, address);
    const isThere = readAddress(folderOf(port)) === address;
    const authorized = isThere ? readAuthorized(folderOf(port)) : null;
    return { ...device, ...(authorized !== null && { authorized }), ...(policy && { policy }) };
  };
  const readDevice = createDeviceReader({ names, readStrings, limitMs: timings.stringsMs, annotate });
  const live = createLiveRecords({ clock, lane, names, readDevice, folderOf, onFailure });
  const reconciler = createReconciler({
    clock,
    metrics,
    names,
    readDevice,
    follow: live.follow,
    folderOf,
    sysfsRoot: config.sysfsRoot,
    procRoot: options.procRoot ?? '/proc',
    spoolFile: config.spoolFile,
    reportScan: options.report('usb-scan'),
    reportSpool: options.report('usb-spool'),
  });
  const ready = createReadyWatch({
    folderOf,
    fallbackMs: timings.readyFallbackMs,
    isAuthorized: (port) => gate === null || (!gate.isBusy(port) && readAuthorized(folderOf(port)) !== false),
    onReady({ origin, port, seqnum }, readiness) {
      lane.push([{ kind: 'ready', source: origin, observed: clock.now(), port, seqnum, readiness }]);
    },
  });
  const crossCheck = openCrossCheck(options, timings);
  const { gatekeeper } = options;
  const gate =
    gatekeeper === undefined
      ? null
      : createAuthorizationGate({
          gatekeeper,
          uptimeMs: clock.uptimeMs,
          sysfsRoot: config.sysfsRoot,
          folderOf,
          readStrings,
          log,
          report: options.report('usb-policy'),
          onFirstWritten: (afterMs) => options.metrics.authorizationDelay.observe(afterMs / 1_000),
          onJudged(port) {
            const raw = readRawDevice(folderOf(port));
            if (raw === null || port.startsWith('usb')) return;
            const reading = readDevice(raw, port);
            lane.push(
              reading.then(({ device, isGone }) =>
                isGone
                  ? []
                  : [
                      {
                        kind: 'changed',
                        source: 'kernel',
                        observed: clock.now(),
                        port,
                        seqnum: null,
                        device,
                      },
                    ],
              ),
            );
          },
          onPassed: (port) => ready.passed(port),
        });
  const judgeAll = ({ devices }: Snapshot) => {
    gate?.scanned(devices.map(({ port }) => port));
  };

  let isStopped = false;
  let isBlind = false;
  let restartReason: Snapshot['reason'] = 'monitor-exit';
  let gap: Gap = { afterSeqnum: known?.seqnum ?? null, sightUptimeMs: null };
  let poll: NodeJS.Timeout | undefined;
  let stallTimer: NodeJS.Timeout | undefined;
  const subscribed = Promise.withResolvers<void>();

  const isDifferent = ({ devices }: Snapshot) => view.differences(devices).length > 0;
  const saySource = (source: 'kernel' | 'udev', state: 'lost' | 'restored', why: string) =>
    lane.push([{ kind: 'source', source, observed: clock.now(), state, why }]);
  /** Until the monitor has printed what the kernel has numbered by now; of a quiet bus it has nothing to print, so its silence has a limit. */
  const caughtUp = async (silenceMs: number) => {
    const target = readUeventSeqnum(config.sysfsRoot);
    let printed = monitor.highestSeqnum();
    let end = clock.uptimeMs() + silenceMs;
    while (!isStopped && monitor.isUp() && target !== null && (printed ?? 0) < target) {
      if (clock.uptimeMs() >= end) return;
      await delay(CATCH_UP_STEP_MS);
      if (monitor.highestSeqnum() === printed) continue;
      printed = monitor.highestSeqnum();
      end = clock.uptimeMs() + silenceMs;
    }
  };
  /** Never rejects. */
  const handOver = async (scan: Promise<Snapshot | null>, isWanted: (snapshot: Snapshot) => boolean) => {
    try {
      const snapshot = await scan;
      if (snapshot === null) return;
      // At the start everything is news, and nobody waits for long.
      const isNews = snapshot.reason !== 'start' && isDifferent(snapshot);
      await caughtUp(isNews ? timings.lateMonitorMs : timings.catchUpMs);
      if (gate !== null)
        await Promise.race([gate.settled(), delay(timings.verdictsMs, null, { ref: false })]);
      await lane.drained();
      if (isWanted(snapshot)) lane.push([{ ...snapshot, devices: snapshot.devices.map(annotate) }]);
      await lane.drained();
    } catch (cause) {
      onFailure(cause);
    }
  };
  const scans = new Set<Promise<void>>();
  const place: typeof handOver = async (scan, isWanted) => {
    const handed = handOver(scan, isWanted);
    scans.add(handed);
    await handed;
    scans.delete(handed);
  };
  /** Begins when all earlier changes are told: only then is known what was plugged in when the gap began. */
  const bridge = (reason: Snapshot['reason'], over: Gap, begin: Promise<void>): Promise<void> => {
    const bridged = begin.then(() => reconciler.bridge(reason, over, view.addresses()));
    void bridged.then(({ snapshot }) => {
      if (snapshot !== null) judgeAll(snapshot);
    }, onFailure);
    lane.push(
      bridged.then(({ changes, spooled }) => {
        cover(spooled.map(({ seqnum }) => seqnum));
        return changes;
      }),
    );
    return place(
      // A failure is told by the lane already.
      bridged.then(
        ({ snapshot }) => snapshot,
        () => null,
      ),
      () => true,
    );
  };
  const look = (reason: Snapshot['reason'], isWanted: (snapshot: Snapshot) => boolean) => {
    const certainty = reason === 'timer' && monitor.isUp() ? 'complete' : 'net-state-only';
    // A verdict does not wait for the telling.
    const looked = reconciler.look(reason, certainty).then((snapshot) => {
      if (snapshot !== null) judgeAll(snapshot);
      return snapshot;
    });
    return place(looked, isWanted);
  };
  const takeRecord = (record: DeviceRecord) => {
    if (isStopped) return;
    const { origin, action, seqnum, isSynthetic } = record;
    if (origin === 'kernel') {
      // Somebody asked for the record (udevadm trigger): nothing was plugged in or out.
      if (isSynthetic && action !== 'change') return;
      if (action === 'add') crossCheck?.kernelSaid('attach', clock.uptimeMs());
      if (action === 'remove') crossCheck?.kernelSaid('detach', clock.uptimeMs());
      if (action === 'remove') gate?.left(record.port);
      live.take(record);
      if (action === 'add') gate?.enter(record.port, { isEarly: true, recordUptimeMs: record.uptimeMs });
      return;
    }
    // udevd may be behind: for a plug before the monitor was subscribed its record is the only one.
    const first = monitor.firstSeqnum();
    const isOrphan = first === null || seqnum < first;
    if (isOrphan && !isSynthetic && (action === 'add' || action === 'remove')) live.take(record);
    if (action === 'add' || action === 'change') gate?.enter(record.port);
    ready.saw(record);
  };

  const monitor = watchMonitor({
    command: config.monitorCommand,
    clock,
    metrics,
    log,
    report: options.report('usb-monitor'),
    timings,
    onRecord: takeRecord,
    onReady() {
      clearInterval(poll);
      const wasBlind = isBlind;
      isBlind = false;
      subscribed.resolve();
      if (!wasBlind) return;
      for (const source of ['kernel', 'udev'] as const)
        saySource(source, 'restored', 'the monitor runs again');
      void bridge(restartReason, gap, lane.drained());
      restartReason = 'monitor-exit';
    },
    onLost(why) {
      subscribed.resolve();
      if (isBlind) return;
      isBlind = true;
      log.warn({ why }, 'the udev monitor ended; it is started again');
      for (const source of ['kernel', 'udev'] as const) saySource(source, 'lost', why);
      gap = { afterSeqnum: monitor.highestSeqnum() ?? gap.afterSeqnum, sightUptimeMs: clock.uptimeMs() };
      poll = setInterval(() => void look('monitor-exit', isDifferent), timings.pollMs);
    },
    onUdev: (state, why) => saySource('udev', state, why),
  });

  const rescan = async () => {
    reconciler.tidy();
    let surprises: readonly string[] = [];
    const begun = clock.uptimeMs();
    await look('timer', ({ devices }) => {
      surprises = view.differences(devices);
      return true;
    });
    if (isStopped || isBlind || surprises.length === 0) return;
    clearTimeout(stallTimer);
    stallTimer = setTimeout(() => {
      const unexplained = surprises.filter((port) => !view.hasRecordSince(port, begun));
      if (unexplained.length === 0 || isBlind) return;
      restartReason = 'monitor-stall';
      monitor.restart(`it said nothing of what happened at ${unexplained.slice(0, 8).join(', ')}`);
    }, timings.stallGraceMs);
  };

  await bridge('start', gap, subscribed.promise);
  const tick = setInterval(() => {
    crossCheck?.settle(clock.uptimeMs());
    if (monitor.tick()) void look('monitor-stall', isDifferent);
  }, timings.tickMs);
  const timer = setInterval(() => void rescan(), config.rescanSeconds * 1_000);

  return {
    rescan,
    async rejudge() {
      gate?.recheck();
      await gate?.settled();
    },
    async stop() {
      isStopped = true;
      for (const each of [poll, tick, timer]) clearInterval(each);
      clearTimeout(stallTimer);
      ready.stop();
      await Promise.all([monitor.stop(), crossCheck?.stop(), gate?.stop(), ...scans]);
      await lane.drained();
    },
  };
}

function openCrossCheck(options: UsbWatchOptions, timings: UsbTimings): CrossCheck | null {
  const { clock, config, metrics } = options;
  const report = options.report('usb-cross-check');
  if (!config.crossCheck || config.simulated) {
    // Nothing is unknown here: the part is meant to do nothing.
    report(
      'ok',
      config.simulated ? 'off: the devices are replayed captures' : 'off: usb.crossCheck is false',
    );
    return null;
  }
  return startCrossCheck({
    load: loadHotplugEmitter,
    metrics,
    report,
    uptimeMs: () => clock.uptimeMs(),
    graceMs: timings.crossCheckGraceMs,
  });
}
