// The appliance started from a USB stick whose kernel authorizes nothing by itself, with a policy that rejects everything.
import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { startDiskGuest } from '../support/guest.ts';
import { copyDisk } from '../support/guest-disk.ts';
import { buildGuestDisk, whyNoDiskGuest } from '../support/guest-image.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** The appliance's own stick is in the first SuperSpeed socket that the test uses, a stranger's in the next one. */
const [own, strange] = ['2-2', '2-3'];
const limitMs = 60_000;

suite('a stick that is the appliance', { skip: whyNoDiskGuest() }, () => {
  test('it starts, and rules that reject everything cut off other sticks but not itself [U10]', async (t: TestContext) => {
    const dir = await tempDir(t);
    const stick = await copyDisk(await buildGuestDisk(), dir, 2_048);
    await stick.configure(JSON.stringify({ policy: { mode: 'enforce' }, status: { public: 'all' } }));
    await stick.configure('reject\n', 'rules.conf');
    const stranger = path.join(dir, 'stranger.img');
    await writeFile(stranger, '');
    await truncate(stranger, 64 * 1_048_576);
    const guest = await startDiskGuest(t, {
      disk: stick.file,
      until: 'daemon',
      sticks: { others: [stranger] },
    });
    t.diagnostic(`daemon answers ${guest.bootSeconds.toFixed(1)} s after the firmware's start`);
    const authorized = async (port: string) =>
      (await guest.shell.must(`cat /sys/bus/usb/devices/${port}/authorized 2>/dev/null || true`)).trim();
    await until('the stranger is off the bus', async () => (await authorized(strange)) === '', limitMs);
    assert.equal(await authorized(own), '1');
    assert.match(await guest.shell.must("grep ' /var ' /proc/mounts"), /^\/dev\/sd[a-z]5 \/var ext4/);
    assert.equal(
      (await guest.shell.must('ls -d /sys/block/sd* | wc -l')).trim(),
      '1',
      'the stick itself is the only disk',
    );
    const { devices } = (await (await fetch(`${guest.statusUrl}/api/v1/devices`)).json()) as {
      devices: { port: string; policy?: { target: string; by: string; reason: string } }[];
    };
    const policy = devices.find(({ port }) => port === own)?.policy;
    assert.deepEqual([policy?.target, policy?.by], ['allow', 'floor'], JSON.stringify(devices));
    await guest.shell.must('echo works >/var/lib/marker; sync');
  });
});
