import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { openServiceManager } from '../../src/supervisor/service-manager.ts';
import { recordingLog } from '../support/recording-log.ts';
import { tempDir } from '../support/temp-dir.ts';

const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening', flush=True)
while True:
    data, fds, _, _ = socket.recv_fds(s, 4096, 8)
    print(data.decode().replace('\\n', ' ').strip(), flush=True)
    for fd in fds:
        import os; os.close(fd)
`;

/** Stands where systemd does: a unix datagram socket, which Node cannot open. */
async function listen(t: TestContext): Promise<{ socket: string; lines: AsyncIterator<string> }> {
  const socket = path.join(await tempDir(t), 'notify');
  const child = spawn('python3', ['-c', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'listening');
  return { socket, lines };
}

function lacking(): string | false {
  const missing = ['python3', 'systemd-notify'].filter((name) => spawnSync(name, ['--version']).status !== 0);
  return missing.length === 0 ? false : `${missing.join(' and ')} not installed`;
}

async function nextWith(lines: AsyncIterator<string>, word: string): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    assert.notEqual(done, true);
    if (String(value).includes(word)) return String(value);
  }
}

test('systemd hears that the appliance is ready, keeps hearing that it lives, and that it stops [I6]', {
  skip: lacking(),
}, async (t) => {
  const { socket, lines } = await listen(t);
  const log = recordingLog();
  const environment = { PATH: process.env.PATH, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' };
  const service = openServiceManager({ environment, log });
  await service.ready();
  assert.match(await nextWith(lines, 'READY=1'), /WATCHDOG=1/);
  // Only the timer says it again. The test's own reading keeps the loop turning.
  await nextWith(lines, 'WATCHDOG=1');
  await nextWith(lines, 'WATCHDOG=1');
  await service.stopping();
  await nextWith(lines, 'STOPPING=1');
  assert.deepEqual(log.lines, []);
});

test('a watchdog meant for another process is not answered, and without systemd nothing is started [I6]', async (t) => {
  const dir = await tempDir(t);
  const stub = path.join(dir, 'systemd-notify');
  await writeFile(stub, `#!/bin/sh\necho "$*" >>${dir}/said\n`);
  await chmod(stub, 0o755);
  const log = recordingLog();
  const silent = openServiceManager({ environment: { PATH: '/nowhere' }, log });
  await silent.ready();
  await silent.stopping();
  const other = openServiceManager({
    environment: {
      PATH: `${dir}:/usr/bin:/bin`,
      NOTIFY_SOCKET: '/x',
      WATCHDOG_USEC: '30000',
      WATCHDOG_PID: '1',
    },
    log,
  });
  await other.ready();
  await other.stopping();
  const said = spawnSync('cat', [path.join(dir, 'said')], { encoding: 'utf8' }).stdout;
  assert.equal(said, '--ready WATCHDOG=1\nSTOPPING=1\n');
  assert.deepEqual(log.lines, []);
});

test('a host without systemd-notify is told once what follows from it [I6]', async () => {
  const log = recordingLog();
  const service = openServiceManager({ environment: { PATH: '/nowhere', NOTIFY_SOCKET: '/x' }, log });
  await service.ready();
  await service.stopping();
  assert.equal(log.lines.length, 1);
  assert.match(JSON.stringify(log.lines), /systemd was not told/);
});
