// The kernel's log -> what the ports show besides their devices, and an event for what failed to become one, once over restarts [U1].
import { fstatSync } from 'node:fs';
import type { Clock } from '../contracts/clock.ts';
import type { UsbConfig } from '../contracts/config/usb-config.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { UsbMetrics } from '../contracts/metrics.ts';
import { errorText } from '../lib/error-text.ts';
import {
  type KernelLogSource,
  type PortWatch,
  startPortWatch,
  type ToldPortFailure,
} from '../usb/kernel-log/start-port-watch.ts';
import { foldPortFailures } from './fold-port-failures.ts';
import type { Pipeline, StoredState } from './pipeline.ts';

/** Of the stored state: boot id and number of the newest record that is an event, in the same transaction as it. */
const field = 'usb.kernel-log';
/** Failures before the store answered. */
const MAX_HELD = 256;
/** mem(4): character device 1, 11. */
const KMSG = (1 << 8) | 11;
const STDIN = 0;

export function reportPorts(options: {
  readonly config: UsbConfig;
  readonly clock: Clock;
  readonly metrics: UsbMetrics;
  readonly stored: Promise<StoredState>;
  readonly say: Pipeline['say'];
  readonly report: ReportHealth;
  readonly log: Log;
  readonly onChange: () => void;
}): PortWatch {
  const { clock, config, log, metrics, onChange, report, say, stored } = options;
  let toldUpTo: number | null = null;
  let newest = -1;
  const held: ToldPortFailure[] = [];

  const toEvent = (failure: ToldPortFailure) => {
    const { code, observed, port, remedy, sequence, times, why } = failure;
    // One that has waited is older than what was told meanwhile.
    newest = Math.max(newest, sequence);
    log.warn({ port, code, why, times }, 'what was plugged in does not work as a device');
    const data = { port, code, why, remedy, times, atUptimeMs: Math.max(0, observed.uptimeMs) };
    say('usb.port.failed', `usb/${port}`, data, { [field]: `${clock.bootId} ${newest}` });
  };
  const folded = foldPortFailures(toEvent);
  const tell = (failure: ToldPortFailure) => {
    if (toldUpTo === null) {
      if (held.length < MAX_HELD) held.push(failure);
    } else if (failure.sequence > toldUpTo) folded.take(failure);
  };
  stored.then(
    (fields) => {
      const [boot, sequence] = (fields[field] ?? '').split(' ');
      toldUpTo = boot === clock.bootId ? Number(sequence) : -1;
      newest = toldUpTo;
      for (const failure of held.splice(0)) tell(failure);
    },
    (cause: unknown) => log.warn({ why: errorText(cause) }, 'what failed at the ports could not be recorded'),
  );
  const watch = startPortWatch({
    ...{ clock, metrics, log, report, onChange },
    source: kernelLogOf(config),
    onFailed: tell,
  });
  return {
    ports: watch.ports,
    async stop() {
      await watch.stop();
      folded.flush();
    },
  };
}

function kernelLogOf({
  kernelLog,
  simulated,
  sysfsRoot,
}: UsbConfig): KernelLogSource | { readonly off: string } {
  if (kernelLog !== undefined) return kernelLog;
  if (simulated) return { off: 'the devices are replayed captures' };
  if (sysfsRoot !== '/sys') return { off: 'usb.sysfsRoot is not /sys' };
  // Who starts the daemon may open the log, and the daemon may not: it comes as standard input.
  const input = fstatSync(STDIN);
  return input.isCharacterDevice() && input.rdev === KMSG ? STDIN : '/dev/kmsg';
}
