// Standard output as the shell gives it: a pipe that is closed early, a full disk, a file beside a terminal.
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { startControl } from '../../src/status/start-control.ts';
import { accessFixture } from '../status/access-fixture.ts';
import { until } from '../support/until.ts';

/** What goes on for ever is ended with 124. */
const autoweave = `timeout 60 '${process.execPath}' src/supervisor/main.ts`;

async function appliance(t: TestContext) {
  const fixture = await accessFixture(t);
  const socket = path.join(fixture.dir, 'control.sock');
  const local = await startControl({ socket, api: fixture.server.handleLocal });
  t.after(() => local.stop());
  fixture.buffer.append(9);
  return { ...fixture, socket };
}

/** `script`: a line for bash. */
function shell(script: string, socket: string) {
  const { promise, resolve } = Promise.withResolvers<{ code: number; out: string; err: string }>();
  const env = { ...process.env, AUTOWEAVE_SOCKET: socket };
  execFile('bash', ['-c', script], { env }, (error, out, err) =>
    resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
  );
  return promise;
}

test('what watches ends with 0 once nobody reads what it prints [S6]', async (t) => {
  const { buffer, socket } = await appliance(t);
  // An event a moment, so that there is always something to print.
  const feed = setInterval(() => buffer.append(1), 200);
  t.after(() => clearInterval(feed));
  for (const argv of [
    'status --watch',
    'devices --watch --json',
    'events --watch',
    'events --watch --json',
  ]) {
    const ran = await shell(`${autoweave} ${argv} | head -n 2 >/dev/null; echo "\${PIPESTATUS[*]}"`, socket);
    assert.deepEqual(ran, { code: 0, out: '0 0\n', err: '' }, argv);
  }
});

test('what ends by itself keeps its exit code when nobody reads on [S6]', async (t) => {
  const { socket } = await appliance(t);
  for (const [argv, code] of [
    ['config schema', 0],
    ['help', 0],
    ['events --json', 0],
    ['doctor --config /nowhere', 1],
  ] as const) {
    const { out } = await shell(`${autoweave} ${argv} | true; echo "\${PIPESTATUS[0]}"`, socket);
    assert.equal(out, `${code}\n`, argv);
  }
});

test('results that cannot be written are said on standard error, and the exit code is 1 [S6]', async (t) => {
  const { socket } = await appliance(t);
  const commands = [
    'audit --json',
    'status',
    'status --watch',
    'events --watch',
    'version',
    'help',
    'config schema',
  ];
  for (const argv of commands) {
    const ran = await shell(`${autoweave} ${argv} > /dev/full`, socket);
    const err = 'cli.unwritable: write standard output: ENOSPC: no space left on device, write\n';
    assert.deepEqual(ran, { code: 1, out: '', err }, argv);
  }
});

test('a file gets no cursor codes, also where the errors go to a terminal [S6]', async (t) => {
  if (spawnSync('script', ['--version']).status !== 0) return t.skip('no `script` of util-linux here');
  const { dir, socket } = await appliance(t);
  const [log, screen] = [path.join(dir, 'log'), path.join(dir, 'screen')];
  const watch = `exec '${process.execPath}' src/supervisor/main.ts status --watch --socket ${socket}`;
  for (const [command, file] of [
    [`${watch} > ${log}`, '/dev/null'],
    [watch, screen],
  ] as const) {
    // Its end takes the terminal away, and with it who runs there.
    const terminal = spawn('script', ['-qefc', command, file], { stdio: ['pipe', 'ignore', 'ignore'] });
    t.after(() => terminal.kill());
  }
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  const looks = (text: string) => text.match(/^health|\[Jacme/gm)?.length ?? 0;
  await until(
    'both have looked twice',
    async () => looks(await read(log)) > 1 && looks(await read(screen)) > 1,
  );
  assert.ok(!(await read(log)).includes('\u001b'));
  assert.ok((await read(screen)).includes('\u001b[H\u001b[J'));
});
