// Devices one after the other through the policy: read, asked about, authorized or not, read back. Runs on the main thread; what may
// block in the kernel runs on the thread pool, one device at a time, so that a hostile device cannot take all of its threads.
import { realpathSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { UsbGatekeeper, UsbVerdict } from '../contracts/usb-policy.ts';
import { errorText } from '../lib/error-text.ts';
import { errnoOf } from './errno-of.ts';
import { readAddress, readRawDevice } from './read-raw-device.ts';
import type { ReadStrings } from './string-reader.ts';
import { type Authorization, writeAuthorization } from './write-authorization.ts';

export interface AuthorizationGate {
  /**
   * The device at this port is new, or may have changed. Parents first. `isEarly`: before udev's rules have run for it, so nothing may be
   * written yet; it is judged all the same, so that its first event can say the verdict.
   */
  enter(port: string, options?: EnterOptions): void;
  left(port: string): void;
  /** Ports of a scan, root hubs left out: what is there is looked at again, and what is there no more has left. */
  scanned(ports: readonly string[]): void;
  /** Every port again, if the policy has changed since. */
  recheck(): void;
  /** undefined: not judged, or not yet, or there are no rules and nothing is enforced. */
  verdictOf(port: string, address: number): UsbVerdict | undefined;
  /** Whether the port waits for its turn, or is being worked on. */
  isBusy(port: string): boolean;
  /** Resolves once everything entered so far is through. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface EnterOptions {
  readonly isEarly: boolean;
  /** Of the kernel's record that told of the device. */
  readonly recordUptimeMs?: number;
}

export interface GateOptions {
  readonly uptimeMs: () => number;
  readonly gatekeeper: UsbGatekeeper;
  readonly sysfsRoot: string;
  readonly folderOf: (port: string) => string;
  readonly readStrings: ReadStrings;
  readonly log: Log;
  readonly report: ReportHealth;
  /** A device's first verdict is written, so long after the kernel's record of it. */
  readonly onFirstWritten: (afterMs: number) => void;
  /** The verdict of this device is new, or what sysfs says of it. */
  readonly onJudged: (port: string) => void;
  /** The gate is through with this port for now. */
  readonly onPassed: (port: string) => void;
}

interface Judged {
  readonly address: number;
  /** Of its folder: the kernel counts addresses round, so another device at the same port may have the same one. */
  readonly folder: bigint;
  readonly generation: number;
  readonly verdict: UsbVerdict;
}

interface Opened {
  readonly folder: string;
  readonly ino: bigint;
  readonly isEarly: boolean;
}

/**
 * INVARIANTS
 * - A port is in the queue once; what happens to it while it is being worked on puts it there again.
 * - A device is read and written through one descriptor of its folder: what is plugged into the port meanwhile has another folder, so
 *   no device gets the permission of the one before it.
 * - A device whose parent is unknown has the parent asked about first: rules compare the parent's hash.
 */
export function createAuthorizationGate(options: GateOptions): AuthorizationGate {
  const { gatekeeper, folderOf, log, report } = options;
  const judged = new Map<string, Judged>();
  const refused = new Map<string, string>();
  const queue = new Set<string>();
  const early = new Set<string>();
  const recordedMs = new Map<string, number>();
  let current: string | null = null;
  let working: Promise<void> | null = null;
  let isStopped = false;

  const say = () => {
    const [first] = refused;
    if (first === undefined) report('ok', `devices judged: ${judged.size}`);
    else
      report(
        'degraded',
        `the kernel refuses ${refused.size} decisions (${first[0]}: ${first[1]}); install udev/91-autoweave-usb-policy.rules, which gives the runtime the right to write`,
      );
  };

  const work = async () => {
    for (const port of queue) {
      if (isStopped) return;
      queue.delete(port);
      current = port;
      const isEarly = early.delete(port);
      try {
        await pass(port, isEarly);
      } catch (cause) {
        log.error({ port, cause: errorText(cause) }, 'a device could not be judged: it stays as it is');
      }
      current = null;
      if (!queue.has(port) && !isEarly) options.onPassed(port);
    }
    say();
  };
  say();
  const start = () => {
    working ??= work().finally(() => {
      working = null;
      if (queue.size > 0 && !isStopped) start();
    });
  };

  const pass = async (port: string, isEarly: boolean): Promise<void> => {
    const parent = parentOf(port);
    if (parent !== null && !judged.has(parent)) await pass(parent, isEarly);
    const handle = await openFolder(folderOf(port));
    if (handle === null) return;
    try {
      const { ino } = await handle.stat({ bigint: true });
      await passFolder(port, { folder: `/proc/self/fd/${handle.fd}`, ino, isEarly });
    } finally {
      await handle.close();
    }
  };

  const passFolder = async (port: string, { folder, ino, isEarly }: Opened): Promise<void> => {
    const parent = parentOf(port);
    const raw = readRawDevice(folder);
    if (raw === null) return;
    const isAuthorized = raw.attributes.authorized === '1';
    const isOther = judged.get(port)?.folder !== ino;
    if (isOther && judged.delete(port)) gatekeeper.forget(port);
    const known = judged.get(port);
    const generation = gatekeeper.generation();
    let verdict: UsbVerdict | null = known?.verdict ?? null;
    if (known === undefined || known.address !== raw.address || known.generation !== generation) {
      const strings = await options.readStrings(folder, ['product', 'serial']);
      // A string that is missing because the device left looks like one that the device never had.
      if (strings === 'gone' || readAddress(folder) !== raw.address) return;
      const connectType = raw.attributes['port/connect_type'];
      verdict = gatekeeper.judge({
        port,
        parentPort: parent,
        parentPath: parent === null ? parentPathOf(folderOf(port), options.sysfsRoot) : '',
        address: raw.address,
        descriptors: raw.descriptors,
        product: strings.product,
        serial: strings.serial,
        connectType: connectType === undefined ? null : Buffer.from(connectType, 'latin1'),
        isAuthorized,
      });
      if (verdict === null) return void judged.delete(port);
      judged.set(port, { address: raw.address, folder: ino, generation, verdict });
    }
    if (verdict === null) return;
    const wanted = isEarly ? null : stepTo(verdict, isAuthorized);
    // Nothing to write: what is written later is because of another policy, not of this record.
    if (!isEarly && wanted === null) recordedMs.delete(port);
    const hasWritten = wanted !== null && (await write(port, folder, wanted));
    const isSame = known?.address === raw.address && isSameVerdict(known.verdict, verdict);
    const isNews =
      !isSame && (isWorthTelling(verdict) || (known !== undefined && isWorthTelling(known.verdict)));
    if (isNews || hasWritten) options.onJudged(port);
  };

  const write = async (port: string, folder: string, wanted: Authorization): Promise<boolean> => {
    const outcome = await writeAuthorization(folder, wanted);
    if (outcome.ok) {
      refused.delete(port);
      const recorded = recordedMs.get(port);
      recordedMs.delete(port);
      if (recorded !== undefined) options.onFirstWritten(options.uptimeMs() - recorded);
      log.info({ port, wanted }, 'what the policy says is written');
      return true;
    }
    if (outcome.code === 'gone') return false;
    // Before udev's rule has run for it nothing may be written; its record brings the port back here.
    refused.set(port, `${outcome.code} ${outcome.errno}`.trim());
    if (outcome.code !== 'not-permitted')
      log.warn({ port, wanted, ...outcome }, 'the kernel does not do what the policy says');
    return false;
  };

  const enter: AuthorizationGate['enter'] = (port, { isEarly, recordUptimeMs } = { isEarly: false }) => {
    if (isStopped) return;
    if (recordUptimeMs !== undefined) recordedMs.set(port, recordUptimeMs);
    if (!isEarly) early.delete(port);
    else if (!queue.has(port)) early.add(port);
    queue.add(port);
    start();
  };

  const left: AuthorizationGate['left'] = (port) => {
    recordedMs.delete(port);
    for (const below of [...judged.keys()].filter((each) => each === port || each.startsWith(`${port}.`))) {
      judged.delete(below);
      refused.delete(below);
      gatekeeper.forget(below);
    }
  };

  return {
    enter,
    left,
    scanned(ports) {
      const there = new Set(ports);
      // What was plugged in after the scan has a folder.
      for (const port of [...judged.keys()])
        if (!there.has(port) && readAddress(folderOf(port)) === null) left(port);
      for (const port of ports) enter(port);
    },
    recheck() {
      const generation = gatekeeper.generation();
      const ports = [...judged].filter(([, { generation: of }]) => of !== generation);
      for (const [port] of ports.sort(([a], [b]) => depthOf(a) - depthOf(b))) enter(port);
    },
    verdictOf(port, address) {
      const known = judged.get(port);
      return known?.address === address && isWorthTelling(known.verdict) ? known.verdict : undefined;
    },
    isBusy: (port) => queue.has(port) || current === port,
    async settled() {
      while (working !== null) await working;
    },
    async stop() {
      isStopped = true;
      queue.clear();
      await working;
    },
  };
}

/** What has to be written; null: it is so already, or nothing is enforced. */
function stepTo({ target, enforced }: UsbVerdict, isAuthorized: boolean): Authorization | null {
  if (target === 'allow' || !enforced) return isAuthorized ? null : 'authorize';
  if (target === 'reject') return 'remove';
  return isAuthorized ? 'deauthorize' : null;
}

/** An appliance without a policy authorizes everything and says nothing of it. */
function isWorthTelling({ target, by, enforced }: UsbVerdict): boolean {
  return enforced || target !== 'allow' || (by !== 'implicit' && by !== 'floor');
}

function isSameVerdict(a: UsbVerdict, b: UsbVerdict): boolean {
  return a.target === b.target && a.by === b.by && a.reason === b.reason && a.enforced === b.enforced;
}

/** `1-1.4` -> `1-1` -> `usb1` -> null */
function parentOf(port: string): string | null {
  if (port.startsWith('usb')) return null;
  const at = port.lastIndexOf('.');
  return at === -1 ? `usb${port.slice(0, port.indexOf('-'))}` : port.slice(0, at);
}

async function openFolder(folder: string): Promise<FileHandle | null> {
  try {
    return await open(folder, 'r');
  } catch (cause) {
    errnoOf(cause);
    return null;
  }
}

function depthOf(port: string): number {
  return port.startsWith('usb') ? 0 : port.split('.').length;
}

function parentPathOf(folder: string, sysfsRoot: string): string {
  try {
    return path.dirname(realpathSync(folder)).slice(realpathSync(sysfsRoot).length);
  } catch (cause) {
    errnoOf(cause);
    return '';
  }
}
