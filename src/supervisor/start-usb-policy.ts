// Configuration -> the gatekeeper of the USB bus and what goes on around it: files watched, typing counted, changes told.

import { type HostRoots, hostRoots, readBootMedia } from '../cli/usb-policy/read-usb-host.ts';
import type { Clock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config.ts';
import type { EventData, EventType } from '../contracts/event-types.ts';
import type { ReportHealth } from '../contracts/health.ts';
import { watchPolicyFiles } from './policy-files.ts';
import { createGatekeeper, type Gatekeeper } from './usb-gatekeeper.ts';
import { watchTyping } from './watch-typing.ts';

const FILES_PERIOD_MS = 1_000;
const TYPING_PERIOD_MS = 1_000;

export interface UsbPolicy {
  /** undefined: policy.mode is off, USB authorization is somebody else's. */
  readonly gatekeeper: Gatekeeper | undefined;
  /** Looks at the files now. */
  look(): Promise<void>;
  stop(): void;
}

export interface UsbPolicyOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly report: ReportHealth;
  readonly say: <T extends EventType>(type: T, subject: string, data: EventData<T>) => void;
  /** Verdicts may have changed. */
  readonly rejudge: () => void;
  /** Left out: this computer's. */
  readonly roots?: Pick<HostRoots, 'procRoot' | 'startedFrom'>;
}

/** Cutting off the medium that the system runs from would end it. */
const keepsWhatWorks =
  'policy.mode enforce cuts off nothing that works: the root is an overlay, and the disk below it cannot be told by /proc/self/mountinfo, /run/autoweave-boot/disk or root=/dev/… of the kernel command line; put the name of its block device into /run/autoweave-boot/disk before the daemon starts';

export async function startUsbPolicy(options: UsbPolicyOptions): Promise<UsbPolicy> {
  const { clock, config, say, rejudge } = options;
  const { policy, usb, appliance } = config;
  if (policy.mode === 'off')
    return { gatekeeper: undefined, look: async () => undefined, stop: () => undefined };
  const boot = await readBootMedia({ ...hostRoots, ...options.roots, sysfsRoot: usb.sysfsRoot });
  // The real disk of a simulated bus is on another one.
  const isBootTold = boot.isTold || usb.simulated;
  const report: ReportHealth =
    isBootTold || policy.mode !== 'enforce'
      ? options.report
      : (_state, why) => options.report('degraded', `${keepsWhatWorks}; ${why}`);
  const files = await watchPolicyFiles({
    config: policy,
    runDir: appliance.runDir,
    clock,
    report,
    periodMs: FILES_PERIOD_MS,
    onChange(change) {
      say('usb.policy.changed', 'usb/policy', change);
      rejudge();
    },
  });
  const gatekeeper = createGatekeeper({
    config: policy,
    files,
    clock,
    random: Math.random,
    bootPorts: boot.ports,
    isBootTold,
    onSuspected(data) {
      say('usb.device.suspected', `usb/${data.port}`, data);
      rejudge();
    },
  });
  const typing = watchTyping({
    sysfsRoot: usb.sysfsRoot,
    keyboards: gatekeeper.keyboards,
    uptimeMs: clock.uptimeMs,
    periodMs: TYPING_PERIOD_MS,
    onRate: gatekeeper.typed,
  });
  return {
    gatekeeper,
    look: files.look,
    stop() {
      typing.stop();
      files.stop();
    },
  };
}
