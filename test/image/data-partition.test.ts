// What may happen to the data partition of the disk image between two boots, from the firmware on: `npm test -- machines`.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { type DiskAppliance, eventLimitMs, startDiskAppliance } from '../support/disk-appliance.ts';
import { sockets } from '../support/guest-devices.ts';
import { copyDisk } from '../support/guest-disk.ts';
import { whyNoDiskGuest } from '../support/guest-image.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { until } from '../support/until.ts';

suite('the data partition', { skip: whyNoDiskGuest() }, () => {
  const cleanup = suiteCleanup();
  let box: DiskAppliance;
  before(async () => {
    box = await startDiskAppliance(cleanup);
  });

  test('on a larger disk the data partition grows, and a lost superblock is restored from its copy [I3]', async (t) => {
    await box.disk.configure(box.config);
    await box.boot(t, box.disk);
    await box.guest.shell.must('echo kept >/var/lib/marker; sync');
    await box.guest.powerCut();
    await box.disk.enlarge(512);
    await box.disk.damageData('first');
    await box.boot(t, box.disk);
    assert.ok(
      box.told().some((line) => /^autoweave: data: \/dev\/vda5 was damaged and has been repaired/.test(line)),
      box.told().join('\n'),
    );
    assert.equal(await box.guest.shell.must('cat /var/lib/marker'), 'kept\n');
    const size = Number(await box.guest.shell.must("df -Pm /var | awk 'END { print $2 }'"));
    assert.ok(size > 1_600, `the file system has ${size} MiB`);
    await box.arrives('keyboard');
    await box.guest.powerCut();
  });

  test('after a fault that may pass it is left as it is; settings that cannot be read open no USB port, and all is back after the fault [I3, U10]', async (t) => {
    const mend = await box.disk.estrangeData();
    await box.disk.configure('{');
    await box.boot(t, box.disk);
    assert.match(await box.notes(), /\tdata\tunusable\t.*it was left as it is/);
    const { shell, devices } = box.guest;
    assert.equal(await shell.must('cat /run/autoweave-config/origin'), 'default\n');
    assert.match(
      box.told().join('\n'),
      /config: the appliance runs with its defaults, and lets no USB device in/,
    );
    // A keyboard that works is the last one, and is cut off by nothing.
    await devices.plug('mouse');
    const port = `/sys/bus/usb/devices/${sockets.mouse.kernelPort}`;
    await until('the mouse is there', async () => (await shell.run(`test -e ${port}/authorized`)).code === 0);
    const isAllowed = () => shell.must(`cat ${port}/authorized`);
    assert.equal(await isAllowed(), '0\n');
    await shell.must('touch /run/autoweave-config/usb-override');
    await until(
      'somebody at the computer lets it in',
      async () => (await isAllowed()) === '1\n',
      eventLimitMs,
    );
    await shell.must('rm /run/autoweave-config/usb-override');
    await until('it is kept out', async () => (await isAllowed()) === '0\n', eventLimitMs);
    await box.guest.powerCut();

    await mend();
    await box.disk.configure(box.config);
    await box.boot(t, box.disk);
    assert.equal(await box.guest.shell.must('cat /var/lib/marker'), 'kept\n');
    await box.arrives('tablet');
    await box.guest.powerCut();
  });

  test('a data partition beyond repair is made anew, which is said, and it keeps watching [I3]', async (t) => {
    await box.disk.damageData('all');
    await box.boot(t, box.disk);
    assert.ok(
      box
        .told()
        .some((line) => /^autoweave: data: \/dev\/vda5 was beyond repair and has been made anew/.test(line)),
      box.told().join('\n'),
    );
    assert.match(await box.notes(), /\tdata\tremade\t/);
    await box.arrives('mouse');
    const remade = () =>
      box.subscriber.messages.some(
        ({ topic, payload }) => topic.endsWith('/event/system.boot-note') && payload.includes('"remade"'),
      );
    await until('what became of the data partition is an event', remade, eventLimitMs);
    await box.guest.powerCut();
  });

  test('on a disk without room for a data partition it says so and keeps watching [I3]', async (t) => {
    const small = await copyDisk(box.built, box.dir);
    const withSecret = JSON.stringify({
      ...(JSON.parse(box.config) as object),
      uplink: {
        ...(JSON.parse(box.config) as { uplink: object }).uplink,
        username: 'kiosk',
        password: 'hush',
      },
    });
    await small.configure(withSecret);
    await box.boot(t, small);
    assert.equal(await small.read('autoweave.json'), withSecret, 'what nobody else keeps stays in the file');
    assert.ok(
      box
        .told()
        .some((line) => /^autoweave: data: there is no data partition and no room for one/.test(line)),
      box.told().join('\n'),
    );
    await box.arrives('serial');
  });
});
