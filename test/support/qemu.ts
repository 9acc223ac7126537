// Starts QEMU without KVM and ends it with the test: devices through QMP, the serial port as lines, a channel to the test's agent.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type Console, readConsole } from './qemu-console.ts';
import { openQmp, type Qmp } from './qemu-qmp.ts';
import type { Cleanup } from './with-cleanup.ts';

/** QEMU loads the kernel itself: seconds faster. */
export interface DirectBoot {
  readonly kind: 'direct';
  readonly kernel: string;
  readonly initramfs: string;
  readonly commandLine: string;
}

/** OVMF finds the first disk's boot loader, as a computer does. */
export interface FirmwareBoot {
  readonly kind: 'firmware';
  /** The firmware's settings, which it writes. */
  readonly variables: string;
  /** Added to the kernel command line that the disk carries. */
  readonly moreCommandLine: string;
}

export const firmwareCode = '/usr/share/OVMF/OVMF_CODE_4M.fd';
export const firmwareVariables = '/usr/share/OVMF/OVMF_VARS_4M.fd';

export interface Forward {
  readonly host: number;
  readonly guest: number;
  readonly address?: string | undefined;
}

export interface QemuDisk {
  readonly file: string;
  readonly readOnly: boolean;
  /** A stick in this socket from the start, instead of a disk of the machine. */
  readonly usbPort?: string;
  /** Where every write and flush is recorded, in the format of dm-log-writes. Default: nowhere. */
  readonly writeLog?: string;
}

export interface QemuOptions {
  /** Folder for the sockets of this machine. */
  readonly dir: string;
  readonly boot: DirectBoot | FirmwareBoot;
  /** Raw images in the order vda, vdb, …; firmware tries them in this order too. */
  readonly disks: readonly QemuDisk[];
  /** Blobs that the guest finds below /sys/firmware/qemu_fw_cfg/by_name, name -> file. */
  readonly firmwareFiles: Readonly<Record<string, string>>;
  /** Port on the host's loopback -> port in the guest, at the address that DHCP gives it or at another. */
  readonly forwards: readonly Forward[];
  /** Two further network cards with a cable between them: eth1 and eth2. */
  readonly wire?: boolean;
  /** A reset ends the machine otherwise. */
  readonly mayReboot?: boolean;
  readonly memoryMiB: number;
}

export interface Qemu {
  readonly qmp: Qmp;
  readonly console: Console;
  /** Unix socket of the virtio port `autoweave.test`. */
  readonly agentSocket: string;
  readonly pid: number;
  /** The plug is pulled: nothing in the guest gets a chance, nothing in QEMU is written back. */
  powerCut(): Promise<void>;
}

export async function startQemu(t: Cleanup, options: QemuOptions): Promise<Qemu> {
  const qmpSocket = path.join(options.dir, 'qmp.sock');
  const agentSocket = path.join(options.dir, 'agent.sock');
  const machine = ['qemu-system-x86_64', ...toArguments(options, { qmpSocket, agentSocket })];
  // The kernel ends the machine with the process that started it, even if that one is killed.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...machine], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  // A failed spawn (no such program) is reported by the QMP connection below, with the words kept here.
  child.once('error', (error) => {
    complaints += error.message;
  });
  t.after(() => end(child));
  const console = readConsole(child.stdout);
  try {
    const qmp = await Promise.race([openQmp(qmpSocket), failedEarly(child)]);
    return { qmp, console, agentSocket, pid: child.pid ?? 0, powerCut: () => end(child) };
  } catch (cause) {
    await end(child);
    throw new Error(`start QEMU: ${complaints.trim() || 'it gave no reason'}`, { cause });
  }
}

async function failedEarly(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error(`it ended with ${child.exitCode}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function bootArguments(boot: DirectBoot | FirmwareBoot): readonly string[] {
  switch (boot.kind) {
    case 'direct':
      return ['-kernel', boot.kernel, '-initrd', boot.initramfs, '-append', boot.commandLine];
    case 'firmware':
      return [
        ...['-drive', `if=pflash,format=raw,readonly=on,file=${firmwareCode}`],
        ...['-drive', `if=pflash,format=raw,file=${boot.variables}`],
        // systemd's boot stub appends this where Secure Boot is off.
        ...['-smbios', `type=11,value=io.systemd.stub.kernel-cmdline-extra=${boot.moreCommandLine}`],
      ];
  }
}

function toArguments(
  options: QemuOptions,
  sockets: { readonly qmpSocket: string; readonly agentSocket: string },
): readonly string[] {
  const forwards = options.forwards.map(
    ({ host, guest, address = '' }) => `,hostfwd=tcp:127.0.0.1:${host}-${address}:${guest}`,
  );
  return [
    // No legacy devices: each costs a driver and, under emulation, part of a second.
    ...['-M', 'q35,sata=off,smbus=off,i8042=off,vmport=off', '-nodefaults', '-no-user-config'],
    ...[
      '-accel',
      'tcg,thread=multi,tb-size=512',
      '-cpu',
      'max',
      '-smp',
      '2',
      '-m',
      String(options.memoryMiB),
    ],
    ...['-display', 'none', '-serial', 'stdio', ...(options.mayReboot === true ? [] : ['-no-reboot'])],
    ...['-qmp', `unix:${sockets.qmpSocket},server=on,wait=off`],
    ...bootArguments(options.boot),
    ...Object.entries(options.firmwareFiles).flatMap(([name, file]) => [
      '-fw_cfg',
      `name=${name},file=${file}`,
    ]),
    ...['-netdev', `user,id=net0${forwards.join('')}`, '-device', 'virtio-net-pci,netdev=net0,romfile='],
    ...['-audiodev', 'none,id=sound'],
    ...['-device', 'virtio-rng-pci', '-device', 'qemu-xhci,id=xhci,p2=8,p3=8'],
    ...options.disks.flatMap((disk, index) => {
      const { usbPort } = disk;
      const device = usbPort === undefined ? 'virtio-blk-pci' : `usb-storage,bus=xhci.0,port=${usbPort}`;
      const order = options.boot.kind === 'firmware' ? `,bootindex=${index}` : '';
      return [
        ...['-drive', `if=none,id=disk${index},${driveOf(disk)}`],
        ...['-device', `${device},drive=disk${index}${order}`],
      ];
    }),
    ...[
      '-device',
      'virtio-serial-pci',
      '-chardev',
      `socket,id=agent,path=${sockets.agentSocket},server=on,wait=off`,
    ],
    ...['-device', 'i6300esb', '-action', 'watchdog=reset'],
    ...['-device', 'virtserialport,chardev=agent,name=autoweave.test'],
    // Last, so that nothing else has another address with them than without.
    ...(options.wire === true ? ['wire1', 'wire2'] : []).flatMap((id) => [
      ...['-netdev', `hubport,id=${id},hubid=1`, '-device', `virtio-net-pci,netdev=${id},romfile=`],
    ]),
  ];
}

function driveOf({ file, readOnly, writeLog }: QemuDisk): string {
  if (writeLog === undefined) return `file=${file},format=raw,readonly=${readOnly ? 'on' : 'off'}`;
  const raw = (name: string, of: string) =>
    `${name}.driver=raw,${name}.file.driver=file,${name}.file.filename=${of}`;
  return `driver=blklogwrites,${raw('file', file)},${raw('log', writeLog)},log-sector-size=512`;
}
