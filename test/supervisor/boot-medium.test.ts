// The disk the system runs from, by what the kernel and the initramfs say, and a policy that would cut it off.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import type { Cleanup } from '../support/with-cleanup.ts';
import { policyRig } from './policy-rig.ts';
import { rawDescriptors } from './raw-descriptors.ts';

const stick = rawDescriptors('0781:5567', '08:06:50');
const keyboard = rawDescriptors('046d:c31c', '03:01:01 03:00:00');
/** After switch_root the read-only image below the overlay is mounted nowhere that a process can see. */
const overlay = '20 1 0:21 / / rw,relatime - overlay overlay rw,lowerdir=/lower,upperdir=/upper/files\n';
const data = '31 20 253:0 / /var rw,relatime - ext4 /dev/vda rw\n';

interface System {
  readonly mountinfo: string;
  readonly commandLine?: string;
  /** What the initramfs wrote. */
  readonly startedFrom?: string;
}

/** The stick at 1-2 is the disk sdb. */
async function rig(t: Cleanup, system: System) {
  const dir = await tempDir(t);
  mkdirSync(path.join(dir, 'self'));
  writeFileSync(path.join(dir, 'self/mountinfo'), system.mountinfo);
  writeFileSync(path.join(dir, 'cmdline'), `${system.commandLine ?? 'quiet'}\n`);
  const startedFrom = path.join(dir, 'disk');
  if (system.startedFrom !== undefined) writeFileSync(startedFrom, `${system.startedFrom}\n`);
  return policyRig(t, 'block\n', {
    roots: { procRoot: dir, startedFrom },
    before(sysfsRoot) {
      const port = path.join(sysfsRoot, 'devices/pci0000:00/0000:00:05.0/usb1/1-2');
      const disk = path.join(port, '1-2:1.0/host2/target2:0:0/2:0:0:0/block/sdb');
      mkdirSync(disk, { recursive: true });
      writeFileSync(path.join(disk, 'dev'), '8:16\n');
      for (const folder of ['block', 'class/block', 'dev/block'])
        mkdirSync(path.join(sysfsRoot, folder), { recursive: true });
      for (const link of ['block/sdb', 'class/block/sdb', 'dev/block/8:16'])
        symlinkSync(disk, path.join(sysfsRoot, link));
    },
  });
}

const told: readonly (System & { readonly name: string })[] = [
  { name: 'the initramfs has said so', mountinfo: overlay + data, startedFrom: 'sdb' },
  {
    name: 'the kernel command line names it',
    mountinfo: overlay + data,
    commandLine: 'quiet aw.root=/dev/sdb',
  },
  {
    name: 'its read-only image is mounted somewhere',
    mountinfo: `${overlay}${data}32 20 8:16 / /lower ro - squashfs /dev/sdb ro\n`,
  },
];
for (const { name, ...system } of told)
  test(`the stick that the system runs from stays when an overlay hides it: ${name} [U10]`, async (t) => {
    const { plug, state, health } = await rig(t, system);
    await plug('1-2', 20, stick, 1);
    assert.equal(state('1-2'), '1 allow floor');
    await plug('1-1', 21, stick, 1);
    assert.equal(state('1-1'), '0 block rule', 'another stick');
    assert.match(health.at(-1) ?? '', /^ok /);
  });

const hidden: readonly (System & { readonly name: string })[] = [
  { name: 'nothing names a disk', mountinfo: overlay + data },
  { name: 'the disk that is named is not there', mountinfo: overlay + data, startedFrom: 'sdx' },
  {
    name: 'an image in a file is on no disk of its own',
    mountinfo: `${overlay}33 20 7:0 / /snap/core ro - squashfs /dev/loop0 ro\n`,
  },
];
for (const { name, ...system } of hidden)
  test(`with an overlay above an unknown disk nothing that works is cut off, and health says so: ${name} [U10]`, async (t) => {
    const { plug, setRules, state, health } = await rig(t, system);
    await plug('1-2', 20, stick, 1);
    assert.equal(state('1-2'), '1 allow floor');
    assert.match(
      health.at(-1) ?? '',
      /^degraded policy\.mode enforce cuts off nothing that works: .* cannot be told .*; 1 rules in force/,
    );
    await plug('1-1', 21, keyboard);
    assert.equal(state('1-1'), '0 block rule', 'what is new is let in by rules alone');
    await setRules('allow id 046d:c31c\nreject\n');
    assert.deepEqual([state('1-1'), state('1-2')], ['1 allow rule', '1 allow floor']);
  });

test('a host whose root is a plain disk enforces as ever [U6]', async (t) => {
  const { plug, state, health } = await rig(t, {
    mountinfo: `20 1 253:0 / / rw - ext4 /dev/vda rw\n${data}`,
    commandLine: 'root=UUID=0000',
  });
  await plug('1-2', 20, stick, 1);
  assert.equal(state('1-2'), '0 block rule');
  assert.match(health.at(-1) ?? '', /^ok /);
});
