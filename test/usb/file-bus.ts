// A USB bus made of files, as the kernel shows one: sysfs with raw descriptors and strings, a numbered uevent stream on a FIFO that a
// real child process prints, /proc with or without a udevd, and the spool file.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock } from '../../src/contracts/clock.ts';
import { tempDir } from '../support/temp-dir.ts';
import { descriptorSet } from './corpus.ts';

export interface FileDevice {
  readonly set: string;
  readonly manufacturer?: string | Uint8Array;
  readonly product?: string | Uint8Array;
  readonly serial?: string | Uint8Array;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Drivers of the interfaces 0, 1, ... */
  readonly drivers?: readonly string[];
}

export interface UeventOptions {
  readonly origin?: 'kernel' | 'udev';
  readonly seqnum?: number;
  readonly properties?: Readonly<Record<string, string>>;
}

export interface FileBus {
  readonly dir: string;
  readonly sysfsRoot: string;
  readonly procRoot: string;
  readonly spoolFile: string;
  readonly monitorCommand: string[];
  folderOf(port: string): string;
  /** Puts the device into sysfs; returns its address. */
  insert(port: string, device: FileDevice): number;
  withdraw(port: string): void;
  /** Prints a record into the stream; the kernel's take the next number, udev's repeat the last one. */
  tell(action: string, port: string, address: number | null, options?: UeventOptions): number;
  /** Takes numbers away as other subsystems do, without printing them. */
  skipNumbers(count: number): void;
  plug(port: string, device: FileDevice): { readonly address: number; readonly seqnum: number };
  unplug(port: string, address: number): number;
  lastSeqnum(): number;
  monitorPid(): number;
  spool(lines: readonly string[]): void;
  setUdevd(startSeconds: number | null): void;
}

export const bootId = '11111111-2222-4333-8444-555555555555';

/** CLOCK_MONOTONIC, as the records of the stream have it. */
export function runningClock(): Clock {
  const uptimeMs = () => Number(process.hrtime.bigint()) / 1e6;
  return { bootId, uptimeMs, now: () => ({ uptimeMs: uptimeMs(), wallMs: Date.now(), synced: true }) };
}

export async function fileBus(t: TestContext): Promise<FileBus> {
  const dir = await tempDir(t);
  const at = (...names: string[]) => path.join(dir, ...names);
  const sysfsRoot = at('sys');
  const controller = at('sys/devices/pci0000:00/0000:00:14.0/usb1');
  mkdirSync(at('sys/bus/usb/devices'), { recursive: true });
  mkdirSync(at('sys/kernel'));
  mkdirSync(at('drivers'));
  mkdirSync(at('proc/1'), { recursive: true });
  mkdirSync(at('spool'));
  mkdirSync(controller, { recursive: true });
  symlinkSync(controller, at('sys/bus/usb/devices/usb1'));
  writeFileSync(path.join(controller, 'devnum'), '1\n');
  writeFileSync(path.join(controller, 'busnum'), '1\n');
  writeFileSync(at('proc/1/stat'), '1 (init) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n');
  execFileSync('mkfifo', [at('uevents')]);
  const fifo = openSync(at('uevents'), constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(fifo));

  let seqnum = 5_000;
  let nextAddress = 2;
  const setSeqnum = (value: number) => {
    seqnum = value;
    writeFileSync(at('sys/kernel/uevent_seqnum'), `${seqnum}\n`);
  };
  setSeqnum(seqnum);
  const devpathOf = (port: string) => `/devices/pci0000:00/0000:00:14.0/usb1/${port}`;
  const products = new Map<string, string>();

  const bus: FileBus = {
    dir,
    sysfsRoot,
    procRoot: at('proc'),
    spoolFile: at('spool/usb'),
    monitorCommand: [
      'sh',
      '-c',
      'echo $$ >"$0/pid"; printf "monitor will print\\n\\n"; exec cat "$0/uevents"',
      dir,
    ],
    folderOf: (port) => at('sys/bus/usb/devices', port),
    insert(port, { set, attributes, drivers, ...strings }) {
      const address = nextAddress++;
      const folder = at('sys', devpathOf(port));
      const descriptors = descriptorSet(set);
      mkdirSync(folder, { recursive: true });
      const all = {
        busnum: '1',
        devnum: String(address),
        speed: '480',
        authorized: '1',
        removable: 'unknown',
        ...attributes,
      };
      for (const [name, value] of Object.entries(all)) writeFileSync(path.join(folder, name), `${value}\n`);
      for (const [name, value] of Object.entries(strings))
        writeFileSync(path.join(folder, name), Buffer.concat([Buffer.from(value), Buffer.from('\n')]));
      writeFileSync(path.join(folder, 'descriptors'), descriptors);
      for (const [index, driver] of (drivers ?? []).entries()) {
        mkdirSync(path.join(folder, `${port}:1.${index}`));
        symlinkSync(at('drivers', driver), path.join(folder, `${port}:1.${index}`, 'driver'));
      }
      const hex = (offset: number) =>
        (descriptors.length < 18 ? 1 : descriptors.readUInt16LE(offset)).toString(16);
      products.set(port, `${hex(8)}/${hex(10)}/${hex(12)}`);
      symlinkSync(folder, at('sys/bus/usb/devices', port));
      return address;
    },
    withdraw(port) {
      rmSync(at('sys/bus/usb/devices', port));
      rmSync(at('sys', devpathOf(port)), { recursive: true });
    },
    tell(action, port, address, options = {}) {
      const { origin = 'kernel' } = options;
      if (origin === 'kernel' && options.seqnum === undefined) setSeqnum(seqnum + 1);
      const properties: Readonly<Record<string, string>> = {
        ACTION: action,
        DEVPATH: devpathOf(port),
        SUBSYSTEM: 'usb',
        DEVTYPE: 'usb_device',
        PRODUCT: products.get(port) ?? '1/2/3',
        TYPE: '0/0/0',
        ...(address === null ? {} : { BUSNUM: '001', DEVNUM: String(address).padStart(3, '0') }),
        ...(address === null ? {} : { DEVNAME: `/dev/bus/usb/001/${String(address).padStart(3, '0')}` }),
        ...options.properties,
        SEQNUM: String(options.seqnum ?? seqnum),
      };
      const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
      const seconds = (Number(process.hrtime.bigint()) / 1e9).toFixed(6);
      const header = `${origin === 'kernel' ? 'KERNEL' : 'UDEV  '}[${seconds}] ${action.padEnd(8)} ${devpathOf(port)} (usb)\n`;
      writeSync(fifo, `${header}${lines.join('')}\n`);
      return seqnum;
    },
    skipNumbers: (count) => setSeqnum(seqnum + count),
    plug(port, device) {
      const address = bus.insert(port, device);
      return { address, seqnum: bus.tell('add', port, address) };
    },
    unplug(port, address) {
      bus.withdraw(port);
      return bus.tell('remove', port, address);
    },
    lastSeqnum: () => seqnum,
    monitorPid: () => Number(readFileSync(at('pid'), 'utf8')),
    spool: (lines) => writeFileSync(at('spool/usb'), lines.map((line) => `${line}\n`).join('')),
    setUdevd(startSeconds) {
      rmSync(at('proc/2'), { recursive: true, force: true });
      if (startSeconds === null) return;
      mkdirSync(at('proc/2'));
      const zeros = Array.from({ length: 18 }, () => '0').join(' ');
      writeFileSync(
        at('proc/2/stat'),
        `2 (systemd-udevd) S ${zeros} ${Math.round(startSeconds * 100)} 0 0\n`,
      );
    },
  };
  return bus;
}

/** A line as udev/autoweave-spool writes it. */
export function spoolLine(options: {
  readonly action: string;
  readonly port: string;
  readonly seqnum: number;
  readonly address: number;
  readonly uptimeMs: number;
  readonly boot?: string;
}): string {
  const { action, port, seqnum, address, uptimeMs, boot = bootId } = options;
  const uptime = (uptimeMs / 1_000).toFixed(2);
  const devpath = `/devices/pci0000:00/0000:00:14.0/usb1/${port}`;
  return `uevent\t${boot}\t${uptime}\t${seqnum}\t${action}\t${devpath}\t46d/c31c/4920\t0/0/0\t001\t${address}\tK1\tLogi\\x20tech\tKeyboard`;
}
