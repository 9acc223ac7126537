// Which configuration a start chooses without a CONFIG partition, with the image's script, users and shipped runtime. What CONFIG offers is
// shown by the guests (first-start.test.ts, data-partition.test.ts).
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { openScriptRoom, whyNoRootRoom } from '../support/script-room.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const runtime = 'dist/autoweave.mjs';
const whyNot = existsSync(runtime) ? whyNoRootRoom() : `there is no ${runtime}: npm run build`;
const machine = 'sys/firmware/qemu_fw_cfg/by_name/opt/autoweave/config/raw';
const stored = 'var/lib/autoweave/autoweave.json';
const closed = 'the appliance runs with its defaults, and lets no USB device in';

async function makeRoom(t: Cleanup) {
  const room = await openScriptRoom(t, { programs: ['dash', 'install', 'setpriv', 'node'] });
  room.write('usr/lib/autoweave/autoweave.mjs', readFileSync(runtime, 'utf8'));
  return {
    ...room,
    /** As at a start: what is in force, and what was said. */
    start(before = '') {
      room.run(`set +e; rm -rf /run/autoweave-config; chmod 755 / /usr /usr/lib /usr/lib/autoweave /usr/bin /tmp /var /run
        ln -sf /bin/node /usr/bin/node; mkdir -p /run/autoweave-boot /var/lib; rm -f /run/autoweave-boot/notes; ${before}
        dash /usr/lib/autoweave/import-config`);
      return {
        config: JSON.parse(room.read('run/autoweave-config/autoweave.json') ?? 'null') as unknown,
        notes: room.read('run/autoweave-boot/notes') ?? '',
      };
    },
  };
}

suite('the configuration of a start', { skip: whyNot }, () => {
  const open = JSON.parse(readFileSync('rootfs/etc/autoweave/autoweave.json', 'utf8')) as unknown;
  const shut = JSON.parse(readFileSync('rootfs/etc/autoweave/closed.json', 'utf8')) as unknown;

  test('who was given no settings gets those of the image [I5]', async (t) => {
    const room = await makeRoom(t);
    assert.deepEqual(room.start(), { config: open, notes: '' });
  });

  test('settings that were refused, damaged or out of reach leave the USB ports shut, which is said [I5, U10]', async (t) => {
    const room = await makeRoom(t);
    const isShut = (before: string) => {
      const { config, notes } = room.start(before);
      assert.deepEqual(config, shut, notes);
      assert.ok(notes.includes(closed), notes);
    };
    isShut('echo /dev/vda5 >/run/autoweave-boot/data-unused');
    isShut(`rm /run/autoweave-boot/data-unused; mkdir -p /${machine.slice(0, -4)}; echo '{' >/${machine}`);
    isShut(`rm /${machine}; echo '{' >/${stored}`);
    // What chooses does not run at all.
    const { config, notes } = room.start(`rm /${stored} /usr/lib/autoweave/autoweave.mjs`);
    assert.deepEqual(config, shut);
    assert.match(notes, /no configuration could be chosen: .* lets no USB device in/);
  });
});
