// One booted guest: the appliance's root under OpenRC, devices through QMP, a root shell, its status port on the host.

import { copyFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BuiltRoot } from '../../image/build-root.ts';
import { runCommand } from '../../image/run-command.ts';
import { takeLock } from '../../image/take-lock.ts';
import { freePort } from './free-port.ts';
import { type GuestDevices, guestDevices } from './guest-devices.ts';
import { type GuestShell, openGuestShell } from './guest-shell.ts';
import {
  type Forward,
  firmwareVariables,
  type Qemu,
  type QemuDisk,
  type QemuOptions,
  startQemu,
} from './qemu.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';
import type { Cleanup } from './with-cleanup.ts';

export interface GuestOptions {
  readonly image: BuiltRoot;
  /** The daemon's configuration. */
  readonly config: object;
  /** Folder with the data partition of an earlier guest; a new one is made in it when there is none. */
  readonly dataDir?: string;
  /** Where everything that the data partition is told is recorded, in the format of dm-log-writes. */
  readonly writeLog?: string;
  readonly memoryMiB?: number;
  /** More words for the kernel's command line. */
  readonly moreCommandLine?: string;
  /** What the guest must have before it counts as started. */
  readonly until: 'agent' | 'daemon';
}

export interface Guest {
  readonly qemu: Qemu;
  readonly devices: GuestDevices;
  /** What is behind the `storage` device: 8 MiB of zeros; may be made longer or shorter while it is not plugged in. */
  readonly storageFile: string;
  readonly shell: GuestShell;
  /** The status page of the daemon in the guest. */
  readonly statusUrl: string;
  /** Seconds from the start of QEMU until that. */
  readonly bootSeconds: number;
  /** The plug is pulled; after it another guest may start. */
  powerCut(): Promise<void>;
}

/** The guest's name for the host's loopback. */
export const hostFromGuest = '10.0.2.2';
const statusPort = 8480;
/** Quiet: 13 s, from the firmware on 25 s. */
const bootLimitMs = 360_000;
/** Another guest may be booted, tested and ended meanwhile. */
const lockLimitMs = 1_800_000;

export async function startGuest(t: Cleanup, options: GuestOptions): Promise<Guest> {
  const dir = await tempDir(t);
  const config = path.join(dir, 'config.json');
  await writeFile(config, JSON.stringify(options.config));
  return startMachine(t, dir, {
    boot: {
      kind: 'direct',
      kernel: options.image.vmlinux,
      initramfs: options.image.initramfs,
      commandLine:
        `console=ttyS0 loglevel=5 panic=-1 aw.root=/dev/vda ${options.moreCommandLine ?? ''}`.trim(),
    },
    disks: [
      { file: options.image.squashfs, readOnly: true },
      {
        ...{ file: await dataDisk(options.dataDir ?? dir), readOnly: false },
        ...(options.writeLog === undefined ? {} : { writeLog: options.writeLog }),
      },
    ],
    firmwareFiles: { 'opt/autoweave/config': config },
    memoryMiB: options.memoryMiB ?? 1024,
    until: options.until,
  });
}

export interface DiskGuestOptions extends Pick<GuestOptions, 'until'> {
  readonly disk: string;
  /** A stick with this image is plugged in from the start, and the firmware tries it first. */
  readonly stick?: string;
  /** The disk is a stick; `others` are sticks that are in the computer when it is switched on. */
  readonly sticks?: { readonly others: readonly string[] };
  /** Where the page is asked for, when DHCP does not give the address. */
  readonly address?: string;
  /** Further ports on the host's loopback. */
  readonly forwards?: readonly Forward[];
  readonly mayReboot?: boolean;
  /** See QemuOptions. */
  readonly wire?: boolean;
}

function disksOf({ disk, stick, sticks }: DiskGuestOptions): readonly QemuDisk[] {
  const writable = { readOnly: false };
  if (sticks !== undefined)
    return [disk, ...sticks.others].map((file, index) => ({ file, ...writable, usbPort: String(index + 2) }));
  return [
    ...(stick === undefined ? [] : [{ file: stick, ...writable, usbPort: '4' }]),
    { file: disk, ...writable },
  ];
}

/** A computer with this disk, from its firmware on. The disk keeps what the guest writes. */
export async function startDiskGuest(t: Cleanup, options: DiskGuestOptions): Promise<Guest> {
  const dir = await tempDir(t);
  const variables = path.join(dir, 'firmware-variables.fd');
  await copyFile(firmwareVariables, variables);
  return startMachine(t, dir, {
    boot: { kind: 'firmware', variables, moreCommandLine: 'console=ttyS0' },
    disks: disksOf(options),
    firmwareFiles: {},
    memoryMiB: 1024,
    ...options,
  });
}

async function startMachine(
  t: Cleanup,
  dir: string,
  options: Pick<QemuOptions, 'boot' | 'disks' | 'firmwareFiles' | 'memoryMiB' | 'mayReboot' | 'wire'> &
    Pick<DiskGuestOptions, 'until' | 'address' | 'forwards'>,
): Promise<Guest> {
  const lock = await takeLock('guest', lockLimitMs);
  t.after(() => lock.release());
  const storage = path.join(dir, 'stick.img');
  await writeFile(storage, '');
  await truncate(storage, 8 * 1024 * 1024);

  const host = await freePort();
  const started = performance.now();
  const boot = async () => {
    const qemu = await startQemu(t, {
      ...options,
      dir,
      forwards: [{ host, guest: statusPort, address: options.address }, ...(options.forwards ?? [])],
    });
    // Connected before the guest opens its end: without a host at the other one it reads an end of file.
    const shell = await openGuestShell(qemu.agentSocket);
    await qemu.console.waitFor(/test-agent: listening$/, bootLimitMs);
    return { qemu, shell };
  };
  const { qemu, shell } = await untilNoFaultOfTheEmulator(boot);
  await shell.must('true');
  const statusUrl = `http://127.0.0.1:${host}`;
  if (options.until === 'daemon') await daemonAnswers(statusUrl, shell);
  return {
    qemu,
    devices: guestDevices(qemu.qmp, storage),
    storageFile: storage,
    shell,
    statusUrl,
    bootSeconds: (performance.now() - started) / 1000,
    async powerCut() {
      shell.close();
      await qemu.powerCut();
      await lock.release();
    },
  };
}

/** QEMU without KVM now and then runs the breakpoint of an instruction that the kernel has patched already: no fault of the image. */
async function untilNoFaultOfTheEmulator<T>(boot: () => Promise<T>): Promise<T> {
  for (let left = 3; ; left -= 1) {
    try {
      return await boot();
    } catch (cause) {
      if (left === 0 || !String(cause).includes('Oops: int3')) throw cause;
      process.stderr.write(
        'guest: the emulator has tripped over a patched instruction; it is started again\n',
      );
    }
  }
}

async function daemonAnswers(statusUrl: string, shell: GuestShell): Promise<void> {
  try {
    // QEMU accepts the connection itself and resets it while nobody listens in the guest.
    await until(
      'the daemon in the guest answers',
      () => fetch(`${statusUrl}/health`).catch(() => undefined),
      bootLimitMs,
    );
  } catch (cause) {
    throw new Error(`start the daemon in the guest; its log:\n${await shell.must('logread')}`, { cause });
  }
}

/** Makes `data.img` in the folder unless it is there. */
export async function dataDisk(dir: string): Promise<string> {
  const file = path.join(dir, 'data.img');
  try {
    await writeFile(file, '', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return file;
    throw error;
  }
  await truncate(file, 512 * 1024 * 1024);
  await runCommand('mke2fs', ['-q', '-t', 'ext4', '-L', 'autoweave-data', file], {
    from: 'e2fsprogs',
    remedy: 'free space and run the test again',
  });
  return file;
}
