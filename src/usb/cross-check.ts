// Compares the kernel's attach and detach records with the connect and disconnect callbacks of the `usb` package. Its callbacks
// decide nothing: it misses short plugs. The package's WebUSB class is not used for this: on subscribing it lists the
// devices with a promise nobody handles, which ends the process where there is no bus or a device is not authorized.
import type { ReportHealth } from '../contracts/health.ts';
import type { UsbMetrics } from '../contracts/metrics.ts';
import { errorText } from '../lib/error-text.ts';

export type CrossCheckKind = 'attach' | 'detach';

/** What is used of the package; `load` gives it, so that the rest can be tried without a bus. */
export interface HotplugEmitter {
  addAttach(callback: () => void): Promise<void>;
  addDetach(callback: () => void): Promise<void>;
  removeAttach(): Promise<void>;
  removeDetach(): Promise<void>;
}

export interface CrossCheck {
  kernelSaid(kind: CrossCheckKind, uptimeMs: number): void;
  /** Counts as missed what the package has not reported within the grace period; to be called now and then. */
  settle(uptimeMs: number): void;
  stop(): Promise<void>;
}

export interface CrossCheckOptions {
  readonly load: () => Promise<HotplugEmitter>;
  readonly metrics: Pick<UsbMetrics, 'crossCheckMissed' | 'sourceRecords' | 'sourceUp'>;
  readonly report: ReportHealth;
  readonly uptimeMs: () => number;
  readonly graceMs: number;
}

interface Count {
  kernel: number;
  callbacks: number;
  missed: number;
  /** Uptimes of kernel records without a callback, and of callbacks that came before their record. */
  waiting: number[];
  early: number[];
}

const MAX_WAITING = 10_000;

export async function loadHotplugEmitter(): Promise<HotplugEmitter> {
  const { Emitter } = await import('usb/index.js');
  return new Emitter();
}

export function startCrossCheck(options: CrossCheckOptions): CrossCheck {
  const { metrics, report, graceMs } = options;
  const counts: Readonly<Record<CrossCheckKind, Count>> = { attach: newCount(), detach: newCount() };
  let isUp = false;

  const callback = (kind: CrossCheckKind) => () => {
    const count = counts[kind];
    count.callbacks++;
    metrics.sourceRecords.add(1, { source: 'libusb' });
    if (count.waiting.shift() === undefined && count.early.length < MAX_WAITING)
      count.early.push(options.uptimeMs());
  };
  const say = () => {
    const { attach, detach } = counts;
    report(
      'ok',
      `kernel ${attach.kernel} attach and ${detach.kernel} detach, usb package ${attach.callbacks} and ` +
        `${detach.callbacks}, missed ${attach.missed} and ${detach.missed}`,
    );
  };

  const emitter = subscribe(options.load, callback('attach'), callback('detach')).then(
    (subscribed) => {
      isUp = true;
      metrics.sourceUp.set(1, { source: 'libusb' });
      say();
      return subscribed;
    },
    (cause: unknown) => {
      metrics.sourceUp.set(0, { source: 'libusb' });
      report(
        'degraded',
        `the usb package cannot watch the bus (${errorText(cause)}); everything else goes on`,
      );
      return null;
    },
  );

  return {
    kernelSaid(kind, uptimeMs) {
      const count = counts[kind];
      if (!isUp) return;
      count.kernel++;
      if (count.early.shift() === undefined && count.waiting.length < MAX_WAITING)
        count.waiting.push(uptimeMs);
    },
    settle(uptimeMs) {
      if (!isUp) return;
      for (const kind of ['attach', 'detach'] as const) {
        const count = counts[kind];
        const isOver = (since: number) => uptimeMs - since >= graceMs;
        const missed = count.waiting.filter(isOver).length;
        count.waiting = count.waiting.slice(missed);
        count.early = count.early.filter((since) => !isOver(since));
        if (missed === 0) continue;
        count.missed += missed;
        metrics.crossCheckMissed.add(missed, { kind });
      }
      say();
    },
    async stop() {
      const subscribed = await emitter;
      isUp = false;
      if (subscribed === null) return;
      // Subscriptions keep the process alive.
      await Promise.allSettled([subscribed.removeAttach(), subscribed.removeDetach()]);
    },
  };
}

async function subscribe(
  load: () => Promise<HotplugEmitter>,
  attached: () => void,
  detached: () => void,
): Promise<HotplugEmitter> {
  const emitter = await load();
  await emitter.addAttach(attached);
  await emitter.addDetach(detached);
  return emitter;
}

function newCount(): Count {
  return { kernel: 0, callbacks: 0, missed: 0, waiting: [], early: [] };
}
