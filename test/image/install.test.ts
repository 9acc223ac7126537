// The real image on a stick, under firmware: it installs itself to the disk of the computer, and both may stay there.
import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, suite, test } from 'node:test';
import { mib } from '../../image/partition-table.ts';
import { type Guest, startDiskGuest } from '../support/guest.ts';
import { sockets } from '../support/guest-devices.ts';
import { copyDisk, type GuestDisk } from '../support/guest-disk.ts';
import { buildGuestDisk, whyNoDiskGuest } from '../support/guest-image.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** Quiet: half a minute; twice 650 MB are read and once written, over an emulated bus. */
const installLimitMs = 900_000;
const startedFrom = 'cat /run/autoweave-boot/disk';

suite('installation from a stick', { skip: whyNoDiskGuest() }, () => {
  const cleanup = suiteCleanup();
  let stick: GuestDisk;
  let internal: string;
  let guest: Guest;

  before(async () => {
    const dir = await tempDir(cleanup);
    stick = await copyDisk(await buildGuestDisk(), dir, 1_024);
    await stick.configure(
      JSON.stringify({
        appliance: { tenant: 'acme', site: 'lab', name: 'kiosk-8' },
        status: { public: 'all' },
      }),
    );
    internal = path.join(dir, 'internal.img');
    await writeFile(internal, '');
    await truncate(internal, 1_536 * mib);
  });

  test('a booted stick installs itself to the internal disk, and is started from again while it is plugged in [I2, I7]', async (t) => {
    guest = await startDiskGuest(cleanup, { stick: stick.file, disk: internal, until: 'daemon' });
    t.diagnostic(
      `daemon answers ${guest.bootSeconds.toFixed(1)} s after the firmware's start, from a stick (busy machine)`,
    );
    assert.equal(await guest.shell.must(startedFrom), 'sda\n');
    const { code, stdout, stderr } = await guest.shell.run(
      'autoweave install-to-disk /dev/vda --yes --json 2>/run/progress',
      installLimitMs,
    );
    assert.equal(code, 0, stdout + stderr);
    const { results } = JSON.parse(stdout) as {
      readonly results: readonly {
        readonly ok: boolean;
        readonly seconds: number;
        readonly comparedBytes: number;
      }[];
    };
    assert.equal(results[0]?.ok, true, stdout);
    t.diagnostic(
      `${results[0]?.comparedBytes} bytes written and compared in ${results[0]?.seconds.toFixed(0)} s (busy machine)`,
    );
    const { code: own } = await guest.shell.run('autoweave install-to-disk /dev/sda --yes --json');
    assert.equal(own, 1);
    await guest.shell.must('sync');
    await guest.powerCut();

    guest = await startDiskGuest(cleanup, { stick: stick.file, disk: internal, until: 'agent' });
    assert.equal(await guest.shell.must(startedFrom), 'sda\n');
    assert.match(await guest.shell.must("grep ' /var ' /proc/mounts"), /^\/dev\/sda5 /);
    await guest.powerCut();
  });

  test('without the stick the disk starts by itself, with its settings, a data partition and keys of its own [I2]', async (t) => {
    guest = await startDiskGuest(cleanup, { disk: internal, until: 'daemon' });
    t.diagnostic(
      `daemon answers ${guest.bootSeconds.toFixed(1)} s after the firmware's start, from the disk (busy machine)`,
    );
    assert.equal(await guest.shell.must(startedFrom), 'vda\n');
    assert.match(await guest.shell.must("grep ' /var ' /proc/mounts"), /^\/dev\/vda5 /);
    await guest.devices.plug('keyboard');
    await until(
      'the keyboard is on the list',
      async () => {
        const answer = await (await fetch(`${guest.statusUrl}/api/v1/devices`)).text();
        return (
          answer.includes(`"port":"${sockets.keyboard.kernelPort}"`) && answer.includes('acme:lab:kiosk-8')
        );
      },
      120_000,
    );
  });
});
