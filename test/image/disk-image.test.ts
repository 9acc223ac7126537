// The disk image as it is flashed, from the firmware on: what a person may put on CONFIG, and what may happen to the data partition.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, suite, type TestContext, test } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import { type Guest, hostFromGuest, startDiskGuest } from '../support/guest.ts';
import { type DeviceKind, sockets } from '../support/guest-devices.ts';
import { copyDisk, type GuestDisk } from '../support/guest-disk.ts';
import { buildGuestDisk, whyNoDiskGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type Subscriber, startSubscriber } from '../support/mqtt-subscriber.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

/** A plug takes about a second in the guest; beside another load it was seen to take five. */
const eventLimitMs = 60_000;
const notes = 'cat /run/autoweave-boot/notes';

suite('the disk image', { skip: whyNoDiskGuest() }, () => {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = { after: (step) => void undo.push(step as () => unknown) };
  let dir: string;
  let built: string;
  let disk: GuestDisk;
  let guest: Guest;
  let subscriber: Subscriber;
  let config: string;

  before(async () => {
    built = await buildGuestDisk();
    dir = await tempDir(cleanup);
    const broker = await startMosquitto(cleanup);
    subscriber = await startSubscriber(cleanup, broker.url, 'autoweave/v1/#');
    config = JSON.stringify({
      appliance: { tenant: 'acme', site: 'lab', name: 'kiosk-7' },
      status: { public: 'all' },
      uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
    });
    disk = await copyDisk(built, dir, 2_048);
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  async function boot(t: TestContext, from: GuestDisk): Promise<void> {
    await guest?.powerCut();
    guest = await startDiskGuest(cleanup, { disk: from.file, until: 'daemon' });
    t.diagnostic(`daemon answers ${guest.bootSeconds.toFixed(1)} s after the firmware's start`);
  }

  const told = () => guest.qemu.console.lines.filter((line) => line.startsWith('autoweave: '));
  const seen = (kind: DeviceKind) =>
    subscriber.messages
      .filter(({ topic }) => topic.startsWith('autoweave/v1/acme/lab/kiosk-7/event/'))
      .map(({ payload }) => JSON.parse(payload) as CloudEvent)
      .filter(
        ({ type, subject }) => type === 'usb.device.added' && subject === `usb/${sockets[kind].kernelPort}`,
      );

  async function arrives(kind: DeviceKind): Promise<void> {
    const count = seen(kind).length;
    await guest.devices.plug(kind);
    await until(`the ${kind} at the broker`, () => seen(kind).length > count, eventLimitMs);
  }

  test('made again from the same root it is the same bytes [I1]', async () => {
    const first = await hashOf(built);
    for (const part of ['autoweave-a.efi', 'esp.img', 'config.img', 'disk.img'])
      await rm(path.join(path.dirname(built), part));
    assert.equal(await hashOf(await buildGuestDisk()), first);
  });

  test('a file put on CONFIG from outside makes it join the broker under its name, from the firmware on [I2]', async (t) => {
    await disk.configure(config);
    await boot(t, disk);
    await arrives('keyboard');
    const made = await guest.shell.must("grep ' /var ' /proc/mounts; df -Pm /var | tail -n 1");
    assert.match(made, /^\/dev\/vda5 \/var ext4 rw,nosuid,nodev,noexec/);
    t.diagnostic(`data partition: ${made.trim().split('\n').at(-1)}`);
    assert.deepEqual(told(), []);
    await guest.shell.must('echo kept >/var/lib/marker; sync');
  });

  test('the page and multicast DNS are open, no file is set-user-id, nobody can log in, the hardware watchdog is fed [I4]', async (t) => {
    const listening = await guest.shell.must("netstat -ltun | awk 'NR > 2 { print $1, $4 }'");
    // The page, and multicast DNS, which the filter lets in for its group alone.
    assert.deepEqual(listening.trim().split('\n').sort(), ['tcp 0.0.0.0:8480', 'udp 0.0.0.0:5353']);
    assert.match(await guest.shell.must('nft list ruleset'), /hook input priority filter; policy drop;/);
    const setId = await guest.shell.must('find / -xdev -type f -perm /6000 | wc -l');
    assert.equal(setId.trim(), '0');
    assert.equal((await guest.shell.must("awk -F: '$2 !~ /^!/' /etc/shadow | wc -l")).trim(), '0');
    assert.equal((await guest.shell.must('ls /bin/su /bin/login /sbin/getty 2>/dev/null; true')).trim(), '');
    const watchdog = await guest.shell.must('cd /sys/class/watchdog/watchdog0; cat identity state timeout');
    assert.match(watchdog, /^i6300ESB timer\nactive\n120$/m);
    assert.match(await guest.shell.must('cat /proc/swaps'), /^\/dev\/zram0/m);
    await guest.qemu.console.waitFor(/^AutoWeave Edge \S+ {2}acme:lab:kiosk-7/, eventLimitMs);
    t.diagnostic(await guest.shell.must('ps -o user,pid,rss,args | grep -v "\\["'));
  });

  test('a wrong file is refused whole with the field named, on the console and for the runtime [I5]', async (t) => {
    await guest.shell.run(
      'dd if=/dev/zero of=/var/filler bs=1M; dd if=/dev/zero of=/var/filler2 bs=1k; sync',
    );
    await guest.powerCut();
    await disk.configure(config.replace('"name"', '"nmae"'));
    await boot(t, disk);
    assert.ok(
      told().some((line) => /^autoweave: config: appliance\.nmae .* not a known key/.test(line)),
      told().join('\n'),
    );
    assert.match(await guest.shell.must(notes), /\tconfig\tconfig\.unknown-key\t.*\tappliance\.nmae$/m);
    assert.match(
      await guest.shell.must('logread'),
      /autoweave-boot: config config\.unknown-key: appliance\.nmae/,
    );
    const state = (await (await fetch(`${guest.statusUrl}/api/v1/state`)).json()) as {
      readonly source: string;
    };
    // What was in force stays.
    assert.equal(state.source, 'urn:autoweave:acme:lab:kiosk-7');
  });

  test('with a full data partition it says so and keeps watching [I3]', async () => {
    assert.ok(
      told().some((line) => /^autoweave: data: \/dev\/vda5 is full/.test(line)),
      told().join('\n'),
    );
    await guest.devices.plug('mouse');
    await until('the mouse is on the list', async () => {
      const answer = await (await fetch(`${guest.statusUrl}/api/v1/devices`)).text();
      return answer.includes(`"port":"${sockets.mouse.kernelPort}"`);
    });
    await guest.shell.must('rm /var/filler*; sync');
    await guest.powerCut();
  });

  test('on a larger disk the data partition grows, and a lost superblock is restored from its copy [I3]', async (t) => {
    await disk.configure(config);
    await disk.enlarge(512);
    await disk.damageData('first');
    await boot(t, disk);
    assert.ok(
      told().some((line) => /^autoweave: data: \/dev\/vda5 was damaged and has been repaired/.test(line)),
      told().join('\n'),
    );
    assert.equal(await guest.shell.must('cat /var/lib/marker'), 'kept\n');
    const size = Number(await guest.shell.must("df -Pm /var | awk 'END { print $2 }'"));
    assert.ok(size > 1_600, `the file system has ${size} MiB`);
    await arrives('keyboard');
    await guest.powerCut();
  });

  test('a data partition beyond repair is made anew, which is said, and it keeps watching [I3]', async (t) => {
    await disk.damageData('all');
    await boot(t, disk);
    assert.ok(
      told().some((line) =>
        /^autoweave: data: \/dev\/vda5 was beyond repair and has been made anew/.test(line),
      ),
      told().join('\n'),
    );
    assert.match(await guest.shell.must(notes), /\tdata\tremade\t/);
    await arrives('tablet');
    const remade = () =>
      subscriber.messages.some(
        ({ topic, payload }) => topic.endsWith('/event/system.boot-note') && payload.includes('"remade"'),
      );
    await until('what became of the data partition is an event', remade, eventLimitMs);
    await guest.powerCut();
  });

  test('on a disk without room for a data partition it says so and keeps watching [I3]', async (t) => {
    const small = await copyDisk(built, dir);
    const withSecret = JSON.stringify({
      ...(JSON.parse(config) as object),
      uplink: { ...(JSON.parse(config) as { uplink: object }).uplink, username: 'kiosk', password: 'hush' },
    });
    await small.configure(withSecret);
    await boot(t, small);
    assert.equal(await small.read('autoweave.json'), withSecret, 'what nobody else keeps stays in the file');
    assert.ok(
      told().some((line) => /^autoweave: data: there is no data partition and no room for one/.test(line)),
      told().join('\n'),
    );
    await arrives('serial');
  });
});

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
