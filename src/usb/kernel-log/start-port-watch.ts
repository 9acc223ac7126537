// The kernel's log, live -> what goes on at the USB ports before there is a device, or instead of one. A child of the daemon reads it: a
// read of /dev/kmsg waits in the kernel, and Node's few threads for files are needed elsewhere.
import { closeSync, constants, openSync } from 'node:fs';
import type { Clock, Instant } from '../../contracts/clock.ts';
import type { ReportHealth } from '../../contracts/health.ts';
import type { Log } from '../../contracts/log.ts';
import type { UsbMetrics } from '../../contracts/metrics.ts';
import type { UsbPortFault, UsbPortState } from '../../contracts/usb-port-state.ts';
import { errorText } from '../../lib/error-text.ts';
import { instantOf } from '../instant-of.ts';
import { startMonitorChild } from '../monitor-child.ts';
import { usbTimings } from '../usb-timings.ts';
import { createKernelLogParser, type KernelRecord } from './parse-kernel-log.ts';
import { portRemedies } from './port-faults.ts';
import { portSign } from './port-sign.ts';
import { createPortStates, type PortFailure, type PortNow } from './port-states.ts';

/** `/dev/kmsg`, or an open descriptor of it: to open it needs a privilege that the daemon does not have, to read it needs none. */
export type KernelLogSource = string | number;

export interface ToldPortFailure {
  readonly port: string;
  readonly code: UsbPortFault;
  readonly why: string;
  readonly remedy: string;
  readonly times: number;
  readonly observed: Instant;
  /** Number of the log's record in this boot. */
  readonly sequence: number;
}

export interface PortWatchOptions {
  /** A text says why there is none. */
  readonly source: KernelLogSource | { readonly off: string };
  readonly clock: Clock;
  readonly metrics: Pick<UsbMetrics, 'portFailures'>;
  readonly log: Log;
  readonly report: ReportHealth;
  readonly onChange: () => void;
  readonly onFailed: (failure: ToldPortFailure) => void;
}

export interface PortWatch {
  ports(): readonly UsbPortState[];
  stop(): Promise<void>;
}

/** The kernel says what it has read of a device in several lines. */
const GATHER_MS = 10;
const without = 'what fails to become a device is not told';

/** Begins with the oldest record that the kernel has kept. */
export function startPortWatch(options: PortWatchOptions): PortWatch {
  const { clock, log, report, source } = options;
  const refusal = typeof source === 'object' ? `off: ${source.off}` : whyUnreadable(source);
  if (refusal !== null || typeof source === 'object') {
    // Devices are watched without it: it is no fault of the appliance.
    report('ok', `${refusal}; ${without}`);
    return { ports: () => [], stop: async () => undefined };
  }
  let sequence = -1;
  let gathering: NodeJS.Timeout | undefined;
  let lost = '';
  const died = new Set<string>();
  const say = () => {
    if (died.size > 0)
      report(
        'down',
        `the USB controller ${[...died].join(', ')} has died, as the kernel's log says: nothing on it works; restart the machine`,
      );
    else if (failed().length > 0) report('degraded', failed().map(failureText).join('; '));
    else if (lost !== '') report('degraded', `the kernel's log cannot be read (${lost}); ${without}`);
    else report('ok', "the kernel's log tells of no failure");
  };
  const failed = () => states.now().filter((now) => now.state === 'failed');
  const states = createPortStates({
    uptimeMs: () => clock.uptimeMs(),
    onChange() {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        say();
        options.onChange();
      }, GATHER_MS);
    },
    onFailed(failure) {
      options.metrics.portFailures.add(1, { code: failure.code });
      options.onFailed({ ...withRemedy(failure), observed: instantOf(clock, failure.uptimeMs) });
    },
  });
  const take = (record: KernelRecord) => {
    // A child that is started again may begin with the oldest.
    if (record.sequence <= sequence) return;
    sequence = record.sequence;
    const sign = portSign(record.text);
    if (sign === null) return;
    if (sign.kind !== 'controller') return states.take(sign, record);
    const { controller, isAlive } = sign;
    if (isAlive) died.delete(controller);
    else died.add(controller);
    if (!isAlive) log.error({ controller }, 'a USB controller has died');
    say();
  };
  const parser = createKernelLogParser(take);
  const from = typeof source === 'number' ? [] : [`if=${source}`];
  const child = startMonitorChild(
    // One record for each read; a shorter buffer than the record would be refused.
    ['dd', 'bs=8192', 'status=none', ...from],
    {
      onOutput: (chunk) => parser.push(chunk),
      onReady() {
        lost = '';
        say();
      },
      onLost(why) {
        parser.reset();
        lost = why;
        say();
      },
      onComplaint: (text) => log.warn({ text }, "the reader of the kernel's log complains"),
    },
    usbTimings,
    typeof source === 'number' ? source : 'ignore',
  );
  return {
    ports: () => states.now().map((now) => toState(now, clock)),
    async stop() {
      states.stop();
      clearTimeout(gathering);
      await child.stop();
    },
  };
}

function failureText({ code, port, why }: Extract<PortNow, { readonly state: 'failed' }>): string {
  return `what is plugged in at ${port} does not work (${code}: ${why}). ${portRemedies[code]}`;
}

function toState(now: PortNow, clock: Clock): UsbPortState {
  const { sinceMs, ...rest } = now;
  const at = new Date(instantOf(clock, sinceMs).wallMs).toISOString();
  return now.state === 'failed' ? { ...rest, remedy: portRemedies[now.code], at } : { ...rest, at };
}

function withRemedy({ code, port, sequence, times, why }: PortFailure) {
  return { port, code, why, remedy: portRemedies[code], times, sequence };
}

function whyUnreadable(source: KernelLogSource): string | null {
  if (typeof source === 'number') return null;
  try {
    closeSync(openSync(source, constants.O_RDONLY | constants.O_NONBLOCK));
    return null;
  } catch (cause) {
    return `off: the kernel's log may not be read here (${errorText(cause)})`;
  }
}
