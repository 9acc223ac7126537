// The disk image as it is flashed, from the firmware on: what a person may put on CONFIG, and a full data partition. What else may happen
// to that partition: data-partition.test.ts.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { before, suite, test } from 'node:test';
import { type DiskAppliance, eventLimitMs, startDiskAppliance } from '../support/disk-appliance.ts';
import { sockets } from '../support/guest-devices.ts';
import { buildGuestDisk, whyNoDiskGuest } from '../support/guest-image.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { until } from '../support/until.ts';

suite('the disk image', { skip: whyNoDiskGuest() }, () => {
  const cleanup = suiteCleanup();
  let box: DiskAppliance;
  before(async () => {
    box = await startDiskAppliance(cleanup);
  });

  test('made again from the same root it is the same bytes [I1]', async () => {
    const first = await hashOf(box.built);
    for (const part of ['autoweave-a.efi', 'esp.img', 'config.img', 'disk.img'])
      await rm(path.join(path.dirname(box.built), part));
    assert.equal(await hashOf(await buildGuestDisk()), first);
  });

  test('a file put on CONFIG from outside makes it join the broker under its name, from the firmware on [I2]', async (t) => {
    // Beside DHCP, which the broker is reached by.
    const network = { address6: 'fec0::77/64', gateway6: 'fec0::2' };
    await box.disk.configure(JSON.stringify({ ...(JSON.parse(box.config) as object), network }));
    await box.boot(t, box.disk);
    await box.arrives('keyboard');
    const made = await box.guest.shell.must("grep ' /var ' /proc/mounts; df -Pm /var | tail -n 1");
    assert.match(made, /^\/dev\/vda5 \/var ext4 rw,nosuid,nodev,noexec/);
    t.diagnostic(`data partition: ${made.trim().split('\n').at(-1)}`);
    assert.deepEqual(box.told(), []);
    await box.guest.shell.must('echo kept >/var/lib/marker; sync');
  });

  test('it has the fixed IPv6 address of the file beside the one of DHCP, and none that was announced [I8]', async () => {
    // The router answers, and a routed packet would go to it.
    const facts = await box.guest.shell.must(
      'ping -6 -c 3 -W 20 fec0::2 && ip -o addr show scope global && ip -6 -o addr show scope site && ip -6 route',
    );
    assert.match(facts, /inet 10\.0\.2\.15\/24 /);
    assert.deepEqual(facts.match(/inet6 fec0::\S+/g), ['inet6 fec0::77/64']);
    assert.match(facts, /^default via fec0::2 dev eth0 /m);
    assert.equal(facts.match(/^default /gm)?.length, 1, facts);
  });

  test('the page and multicast DNS are open, no file is set-user-id, nobody can log in, the hardware watchdog is fed [I4]', async (t) => {
    const listening = await box.guest.shell.must("netstat -ltun | awk 'NR > 2 { print $1, $4 }'");
    // The page, and multicast DNS, which the filter lets in for its group alone.
    assert.deepEqual(listening.trim().split('\n').sort(), ['tcp :::8480', 'udp 0.0.0.0:5353']);
    assert.match(await box.guest.shell.must('nft list ruleset'), /hook input priority filter; policy drop;/);
    const setId = await box.guest.shell.must('find / -xdev -type f -perm /6000 | wc -l');
    assert.equal(setId.trim(), '0');
    assert.equal((await box.guest.shell.must("awk -F: '$2 !~ /^!/' /etc/shadow | wc -l")).trim(), '0');
    assert.equal(
      (await box.guest.shell.must('ls /bin/su /bin/login /sbin/getty 2>/dev/null; true')).trim(),
      '',
    );
    const watchdog = await box.guest.shell.must(
      'cd /sys/class/watchdog/watchdog0; cat identity state timeout',
    );
    assert.match(watchdog, /^i6300ESB timer\nactive\n120$/m);
    assert.match(await box.guest.shell.must('cat /proc/swaps'), /^\/dev\/zram0/m);
    await box.guest.qemu.console.waitFor(/^AutoWeave Edge \S+ {2}acme:lab:kiosk-7/, eventLimitMs);
    t.diagnostic(await box.guest.shell.must('ps -o user,pid,rss,args | grep -v "\\["'));
  });

  test('a wrong file is refused whole with the field named, on the console and for the runtime [I5]', async (t) => {
    await box.guest.shell.run(
      'dd if=/dev/zero of=/var/filler bs=1M; dd if=/dev/zero of=/var/filler2 bs=1k; sync',
    );
    await box.guest.powerCut();
    await box.disk.configure(box.config.replace('"name"', '"nmae"'));
    await box.boot(t, box.disk);
    assert.ok(
      box.told().some((line) => /^autoweave: config: appliance\.nmae .* not a known key/.test(line)),
      box.told().join('\n'),
    );
    assert.match(await box.notes(), /\tconfig\tconfig\.unknown-key\t.*\tappliance\.nmae$/m);
    assert.match(
      await box.guest.shell.must('logread'),
      /autoweave-boot: config config\.unknown-key: appliance\.nmae/,
    );
    const state = (await (await fetch(`${box.guest.statusUrl}/api/v1/state`)).json()) as {
      readonly source: string;
    };
    // What was in force stays, and so does the data.
    assert.equal(await box.guest.shell.must('cat /var/lib/marker'), 'kept\n');
    assert.equal(state.source, 'urn:autoweave:acme:lab:kiosk-7');
  });

  test('with a full data partition it says so and keeps watching [I3]', async () => {
    assert.ok(
      box.told().some((line) => /^autoweave: data: \/dev\/vda5 is full/.test(line)),
      box.told().join('\n'),
    );
    await box.guest.devices.plug('mouse');
    await until('the mouse is on the list', async () => {
      const answer = await (await fetch(`${box.guest.statusUrl}/api/v1/devices`)).text();
      return answer.includes(`"port":"${sockets.mouse.kernelPort}"`);
    });
    await box.guest.shell.must('rm /var/filler*; sync');
    await box.guest.powerCut();
  });
});

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
