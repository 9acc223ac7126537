import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { ToHost } from '../../src/plugins/protocol/to-host.ts';
import { createSerialService } from '../../src/plugins/services/serial-service.ts';
import { openPtyPair, type PtyPair } from '../support/pty-pair.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const line = { op: 'serial.open', baudRate: 9_600, dataBits: 8, parity: 'none', stopBits: 1 } as const;

/** A sysfs with so many adapters of 0403:6001, each a real terminal below `devRoot`. */
async function openBench(t: TestContext, count: number) {
  const dir = await tempDir(t);
  const [sysfsRoot, devRoot] = [path.join(dir, 'sys'), path.join(dir, 'dev')];
  await mkdir(path.join(sysfsRoot, 'class/tty'), { recursive: true });
  await mkdir(devRoot);
  const plug = async (n: number): Promise<PtyPair> => {
    const device = path.join(sysfsRoot, `devices/usb1/1-${n + 1}`);
    await mkdir(path.join(device, `tty/ttyUSB${n}`), { recursive: true });
    await writeFile(path.join(device, 'idVendor'), '0403\n');
    await writeFile(path.join(device, 'idProduct'), '6001\n');
    await symlink(path.join(device, `tty/ttyUSB${n}`), path.join(sysfsRoot, `class/tty/ttyUSB${n}`));
    const pty = await openPtyPair(t, dir, `ttyUSB${n}`);
    await symlink(pty.node, path.join(devRoot, `ttyUSB${n}`));
    return pty;
  };
  const ptys = await Promise.all(Array.from({ length: count }, (_, n) => plug(n)));
  const makePlugin = () => {
    const sent: Extract<ToHost, { t: `serial-${string}` }>[] = [];
    const allowed = [{ vendor: '0403' }];
    const service = createSerialService({
      ...{ allowed, sysfsRoot, devRoot },
      send: (message) => void sent.push(message),
    });
    t.after(() => service.closeAll());
    return {
      open: async (n: number) => {
        const answer = await service.answer({ ...line, port: `ttyUSB${n}` });
        return answer.ok ? (answer.value as number) : answer.code;
      },
      close: (stream: number) => service.answer({ op: 'serial.close', stream }),
      end: () => service.closeAll(),
      text: () =>
        sent
          .map((message) => (message.t === 'serial-data' ? Buffer.from(message.base64, 'base64') : ''))
          .join(''),
    };
  };
  return { dir, ptys, makePlugin };
}

/** Of this process. */
function openTimes({ node }: PtyPair): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The folder itself was one of them.
      return '';
    }
  });
  return links.filter((link) => link === node).length;
}

test('one port is open once, whoever asks at the same moment, and is free again when it is closed [P8]', async (t) => {
  const { makePlugin, ptys } = await openBench(t, 1);
  const [pty] = ptys;
  assert.ok(pty !== undefined);
  const [one, two] = [makePlugin(), makePlugin()];
  const answers = await Promise.all([one.open(0), one.open(0), two.open(0)]);
  const streams = answers.filter((answer) => typeof answer === 'number');
  assert.deepEqual([streams.length, openTimes(pty) > 0], [1, true], JSON.stringify(answers));
  assert.deepEqual([...new Set(answers.filter((answer) => answer !== streams[0]))], ['serial.busy']);
  const [owner, other] = typeof answers[2] === 'number' ? [two, one] : [one, two];
  pty.send('hello');
  await until('the bytes are there', () => owner.text() === 'hello');
  assert.equal(other.text(), '');
  assert.equal((await owner.close(streams[0] ?? 0)).ok, true);
  assert.equal(openTimes(pty), 0);
  assert.equal(typeof (await other.open(0)), 'number');
});

test('a plugin has eight ports at most, also when it asks for all at once [P8]', async (t) => {
  const { makePlugin, ptys } = await openBench(t, 10);
  const plugin = makePlugin();
  const answers = await Promise.all(ptys.map((_, n) => plugin.open(n)));
  assert.deepEqual(answers.slice(8), ['serial.too-many', 'serial.too-many']);
  assert.deepEqual(
    ptys.map((pty) => openTimes(pty) > 0),
    [...Array<boolean>(8).fill(true), false, false],
  );
  plugin.end();
  await until('all are closed', () => ptys.every((pty) => openTimes(pty) === 0));
});

test('a plugin that ends while a port is being opened takes no bytes from the next one [P8]', async (t) => {
  const { dir, makePlugin, ptys } = await openBench(t, 2);
  const [pty] = ptys;
  assert.ok(pty !== undefined);
  // The real one, held up until it is let go; each that begins is told in a file.
  const bin = path.join(dir, 'bin');
  await mkdir(bin);
  const real = execFileSync('sh', ['-c', 'command -v stty'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh\n: >"${bin}/began-$$"\nwhile [ ! -e "${bin}/go" ]; do sleep 0.05; done\nexec ${real} "$@"\n`;
  await writeFile(path.join(bin, 'stty'), script);
  await chmod(path.join(bin, 'stty'), 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  t.after(() => {
    process.env.PATH = before;
  });
  const first = makePlugin();
  const answers = [first.open(0), first.open(1), first.open(0)];
  const begun = async () => (await readdir(bin)).filter((name) => name.startsWith('began-')).length;
  await until('stty runs', async () => (await begun()) > 0);
  assert.equal(await begun(), 1, 'one after the other');
  first.end();
  assert.deepEqual(await Promise.all(answers), ['serial.failed', 'serial.failed', 'serial.failed']);
  assert.deepEqual([await begun(), ptys.map(openTimes)], [1, [0, 0]]);
  await writeFile(path.join(bin, 'go'), '');
  const next = makePlugin();
  assert.equal(typeof (await next.open(0)), 'number');
  pty.send('mine');
  await until('the bytes are there', () => next.text() === 'mine');
  assert.equal(first.text(), '');
});
