// The monitor child, its parser and what can be learnt from the stream itself: device records, holes in the numbering, whether
// udevd answers. Says how the source is; decides nothing about scans.
import type { Clock } from '../contracts/clock.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { UsbMetrics } from '../contracts/metrics.ts';
import { type DeviceRecord, interpretRecord } from './interpret-record.ts';
import { startMonitorChild } from './monitor-child.ts';
import { createMonitorParser, type MonitorRecord } from './parse-monitor-records.ts';
import { createSequenceWatch } from './sequence-watch.ts';
import { createUdevSilence } from './udev-silence.ts';
import type { UsbTimings } from './usb-timings.ts';

export interface MonitorWatchOptions {
  readonly command: readonly string[];
  readonly clock: Clock;
  readonly metrics: Pick<UsbMetrics, 'malformed' | 'sourceRecords' | 'sourceUp'>;
  readonly log: Log;
  readonly report: ReportHealth;
  readonly timings: UsbTimings;
  readonly onRecord: (record: DeviceRecord) => void;
  /** A child is subscribed, the first or one after a loss. */
  readonly onReady: () => void;
  readonly onLost: (why: string) => void;
  readonly onUdev: (state: 'lost' | 'restored', why: string) => void;
}

export interface MonitorWatch {
  isUp(): boolean;
  /** The first and the highest uevent number of the present child's stream. */
  firstSeqnum(): number | null;
  highestSeqnum(): number | null;
  /** true when records may have been lost since the last call; confirms the health. */
  tick(): boolean;
  restart(why: string): void;
  stop(): Promise<void>;
}

export function watchMonitor(options: MonitorWatchOptions): MonitorWatch {
  const { clock, log, metrics, report, timings } = options;
  const sequence = createSequenceWatch();
  const silence = createUdevSilence(timings.udevPatienceMs);
  let isUp = false;
  let lostWhy = '';
  let isTorn = false;
  let complained = '';

  const say = () => {
    if (!isUp) report('down', lostWhy);
    else if (silence.isSilent())
      report('degraded', 'udevd does not answer: devices are seen, but none becomes ready; start udevd');
    else report('ok', 'the monitor prints what the kernel and udevd send');
  };
  const setUp = (up: boolean) => {
    isUp = up;
    for (const source of ['kernel', 'udev']) metrics.sourceUp.set(up ? 1 : 0, { source });
    say();
  };
  const refuse = (code: string) => metrics.malformed.add(1, { code });

  const onRecord = (record: MonitorRecord) => {
    const { origin, seqnum } = record;
    if (origin === 'kernel' && !sequence.saw(seqnum)) {
      refuse('usb.monitor-seqnum-repeated');
      return;
    }
    const device = interpretRecord(record);
    if (device === null) return;
    if (device === 'bad-port') {
      refuse('usb.monitor-port');
      return;
    }
    metrics.sourceRecords.add(1, { source: origin });
    noteAnswer(origin, seqnum);
    options.onRecord(device);
  };
  const noteAnswer = (origin: 'kernel' | 'udev', seqnum: number) => {
    if (origin === 'kernel') return silence.kernelSaid(seqnum, clock.uptimeMs());
    if (!silence.udevSaid(seqnum, clock.uptimeMs())) return;
    metrics.sourceUp.set(1, { source: 'udev' });
    options.onUdev('restored', 'udevd answers again');
    say();
  };

  const parser = createMonitorParser(onRecord, (code) => {
    refuse(code);
    isTorn ||= code === 'usb.monitor-torn' || code === 'usb.monitor-record-too-long';
  });
  const child = startMonitorChild(
    options.command,
    {
      onOutput: (chunk) => parser.push(chunk),
      onReady() {
        sequence.reset();
        setUp(true);
        options.onReady();
      },
      onLost(why) {
        parser.reset();
        lostWhy = `the monitor does not run (${why}); it is started again; command: ${options.command.join(' ')}`;
        setUp(false);
        options.onLost(why);
      },
      onComplaint(text) {
        if (text !== complained) log.warn({ text }, 'the monitor complains');
        complained = text;
      },
    },
    timings,
  );

  return {
    isUp: () => isUp,
    firstSeqnum: () => sequence.first(),
    highestSeqnum: () => sequence.highest(),
    tick() {
      if (silence.hasBegun(clock.uptimeMs())) {
        metrics.sourceUp.set(0, { source: 'udev' });
        options.onUdev('lost', 'udevd does not answer');
      }
      say();
      const isSuspect = sequence.takeGap() || isTorn;
      isTorn = false;
      return isUp && isSuspect;
    },
    restart: (why) => child.restart(why),
    stop: () => child.stop(),
  };
}
