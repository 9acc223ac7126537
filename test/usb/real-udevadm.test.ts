// The real udevadm between the kernel's bytes and the watch: umockdev's preload library gives it unix sockets in the place of
// netlink, and the messages are sent there as the kernel and udevd send them.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import type { UsbChange } from '../../src/contracts/usb-change.ts';
import { startUsbWatch } from '../../src/usb/start-usb-watch.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { until } from '../support/until.ts';
import { fileBus, runningClock } from './file-bus.ts';

const preload = 'libumockdev-preload.so.0';

/** Node has no datagram sockets of the unix family. Reads lines `<socket> <hex>`. */
const sender = `
use Socket; my %open;
while (<STDIN>) {
  my ($to, $hex) = split;
  if (!$open{$to}) { socket($open{$to}, AF_UNIX, SOCK_DGRAM, 0) or die; connect($open{$to}, pack_sockaddr_un($to)) or die $!; }
  syswrite($open{$to}, pack("H*", $hex)) or die $!;
}`;

function missing(): string | false {
  const lacks = (command: string, args: readonly string[]) => spawnSync(command, args).status !== 0;
  if (lacks('perl', ['-e', '1'])) return 'perl is not installed on this machine';
  if (lacks('udevadm', ['--version'])) return 'udevadm is not installed on this machine';
  // The loader complains about a library that it does not find, and goes on.
  const { stderr } = spawnSync('true', { env: { ...process.env, LD_PRELOAD: preload }, encoding: 'utf8' });
  return stderr !== '' && 'umockdev is not installed on this machine';
}

/** What udevd multicasts: a header with the offset and length of the properties (struct udev_monitor_netlink_header). */
function udevMessage(properties: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header.write('libudev\0', 'latin1');
  header.writeUInt32BE(0xfeedcafe, 8);
  header.writeUInt32LE(40, 12);
  header.writeUInt32LE(40, 16);
  header.writeUInt32LE(properties.length, 20);
  return Buffer.concat([header, properties]);
}

function startSender(t: TestContext): ChildProcessByStdio<Writable, null, null> {
  const perl = spawn('perl', ['-e', sender], { stdio: ['pipe', 'inherit', 'inherit'] });
  t.after(() => perl.kill());
  return perl;
}

test('every message of the kernel and of udevd comes through the real udevadm [U1][U2]', {
  skip: missing(),
}, async (t) => {
  const bus = await fileBus(t);
  const changes: UsbChange[] = [];
  const metrics = recordingMetrics();
  const watch = await startUsbWatch({
    config: {
      sysfsRoot: bus.sysfsRoot,
      spoolFile: bus.spoolFile,
      monitorCommand: [
        'env',
        `LD_PRELOAD=${preload}`,
        `UMOCKDEV_DIR=${bus.dir}`,
        ...['udevadm', 'monitor', '--kernel', '--udev', '--property'],
      ],
      crossCheck: false,
      simulated: false,
      debounceMs: 0,
      rescanSeconds: 300,
      portEventsPerSecond: 20,
      portBurst: 200,
      eventsPerSecond: 500,
      burst: 5_000,
    },
    clock: runningClock(),
    metrics: metrics.usb,
    log: recordingLog(),
    report: () => () => undefined,
    known: null,
    take: (taken) => void changes.push(...taken),
    procRoot: bus.procRoot,
  });
  t.after(() => watch.stop());

  const perl = startSender(t);
  // udevadm opens the socket for udevd's messages first.
  const sockets = readdirSync(bus.dir)
    .filter((name) => name.startsWith('event'))
    .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)))
    .map((name) => path.join(bus.dir, name));
  assert.equal(sockets.length, 2);
  const [udev = '', kernel = ''] = sockets;
  let seqnum = bus.lastSeqnum();
  const send = (action: string, port: string, address: number) => {
    seqnum += 1;
    const devpath = `/devices/pci0000:00/0000:00:14.0/usb1/${port}`;
    const number = String(address).padStart(3, '0');
    const all = [
      `ACTION=${action}`,
      `DEVPATH=${devpath}`,
      ...['SUBSYSTEM=usb', 'MAJOR=189', `MINOR=${address - 1}`, `DEVNAME=bus/usb/001/${number}`],
      ...['DEVTYPE=usb_device', 'PRODUCT=781/5567/100', 'TYPE=0/0/0', 'BUSNUM=001', `DEVNUM=${number}`],
      `SEQNUM=${seqnum}`,
    ];
    const properties = Buffer.from(`${all.join('\0')}\0`);
    const uevent = Buffer.concat([Buffer.from(`${action}@${devpath}\0`), properties]);
    perl.stdin.write(
      `${kernel} ${uevent.toString('hex')}\n${udev} ${udevMessage(properties).toString('hex')}\n`,
    );
  };

  const address = bus.insert('1-1', { set: 'flash-drive', serial: 'S1', drivers: ['usb-storage'] });
  send('add', '1-1', address);
  send('bind', '1-1', address);
  await until('ready', () => changes.some(({ kind }) => kind === 'ready'));
  const attached = changes.find((change) => change.kind === 'attached');
  assert.equal(attached?.device.serial, 'S1');
  const ready = changes.find((change) => change.kind === 'ready');
  assert.deepEqual(ready?.readiness, {
    node: `/dev/bus/usb/001/00${address}`,
    drivers: ['usb-storage'],
    links: [],
  });

  const plugs = 300;
  for (let each = 0; each < plugs; each++) {
    send('add', '1-2', 10 + each);
    send('remove', '1-2', 10 + each);
  }
  const flaps = () =>
    changes.filter((change) => 'port' in change && change.port === '1-2' && change.source === 'kernel');
  await until('all records', () => flaps().length === plugs * 2);
  assert.deepEqual(
    flaps().map(({ kind }) => kind),
    Array.from({ length: plugs }, () => ['attached', 'detached']).flat(),
  );
  for (const code of ['torn', 'stray-line', 'no-equals', 'mismatch', 'seqnum-repeated'])
    assert.equal(metrics.total('usb.malformed', { code: `usb.monitor-${code}` }), 0);
  perl.stdin.end();
});
