import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { tempDir } from '../support/temp-dir.ts';

const fixtures = 'test/fixtures/captures';

interface Replay {
  readonly sysfs: string;
  readonly captures?: string;
  readonly everyMs?: string;
}

function startReplay(t: Pick<TestContext, 'after'>, { sysfs, captures = fixtures, everyMs = '40' }: Replay) {
  const args = ['src/workbench/replay.ts', '--sysfs', sysfs, '--captures', captures, '--every-ms', everyMs];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('the tree shows a device before its add and no longer at its remove [U1]', async (t) => {
  const dir = await tempDir(t);
  const captures = path.join(dir, 'captures');
  mkdirSync(captures);
  copyFileSync(`${fixtures}/keyboard.json`, path.join(captures, 'keyboard.json'));
  const sysfs = path.join(dir, 'sys');
  // One device alone, and half a second at least until the next change: what is read here belongs to the record.
  const child = startReplay(t, { sysfs, captures, everyMs: '1000' });
  const device = path.join(sysfs, 'bus/usb/devices/1-1');
  const seen: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [, action] = /^KERNEL\[[0-9.]+\] (add|remove) .*\/usb1\/1-1 \(usb\)$/.exec(line) ?? [];
    if (action === undefined) continue;
    seen.push(action);
    assert.equal(existsSync(device), action === 'add');
    if (action === 'remove') break;
    assert.equal(readFileSync(path.join(device, 'descriptors')).at(0), 18);
    assert.equal(readFileSync(path.join(device, 'devnum'), 'utf8'), '2\n');
    assert.equal(readFileSync(path.join(device, '1-1:1.0/bInterfaceNumber'), 'utf8'), '00\n');
    assert.match(readlinkSync(path.join(device, '1-1:1.0/driver')), /bus\/usb\/drivers\/usbhid$/);
  }
  assert.deepEqual(seen, ['add', 'remove']);
});

test('sequence numbers and times only grow, also over a restart on the same tree [U1]', async (t) => {
  const sysfs = path.join(await tempDir(t), 'sys');
  let last = 0;
  let time = 0;
  for (let run = 0; run < 2; run++) {
    const child = startReplay(t, { sysfs });
    let kernel = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [, stamp] = /^(?:KERNEL|UDEV {2})\[([0-9.]+)\]/.exec(line) ?? [];
      if (stamp !== undefined) {
        assert.ok(Number(stamp) >= time, `${stamp} after ${time}`);
        time = Number(stamp);
      }
      const [, seqnum] = /^SEQNUM=(\d+)$/.exec(line) ?? [];
      if (seqnum === undefined) continue;
      // udev's records repeat the numbers of the kernel's.
      if (Number(seqnum) > last) kernel += 1;
      last = Math.max(last, Number(seqnum));
      if (kernel === 8) break;
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  assert.ok(last >= 1_000 + 16, `${last}`);
});

test('ends when nobody reads what it prints [Q4]', async (t) => {
  const sysfs = path.join(await tempDir(t), 'sys');
  const child = startReplay(t, { sysfs });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.ok(readdirSync(sysfs).includes('kernel'));
});
