// Connections that break off and answers of something that is no appliance: a line with a code, never a trace.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { startControl } from '../../src/status/start-control.ts';
import { accessFixture } from '../status/access-fixture.ts';
import { until } from '../support/until.ts';
import { run } from './run.ts';

async function webServer(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Says that much follows, sends the begin of it, and breaks off. */
const breakOff: RequestListener = (request, response) => {
  const type = request.url?.endsWith('diagnostics') ? 'application/gzip' : 'application/json';
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': 1_000 });
  response.write('{"source":', () => response.destroy());
};

test('a stream that breaks off with the appliance has ended [S6]', async (t) => {
  const { buffer, dir, server } = await accessFixture(t);
  const socket = path.join(dir, 'control.sock');
  const local = await startControl({ socket, api: server.handleLocal });
  buffer.append(2);
  const watched = run('events', '--watch', '--json', '--last', '1', '--socket', socket);
  await until('it listens', () => buffer.listeners.size > 1 || buffer.reads.count > 1);
  await local.stop();
  const { code, err, out } = await watched;
  assert.equal(err, 'The appliance has ended the stream.\n');
  assert.deepEqual([code, (JSON.parse(out) as { readonly id: string }).id], [1, '1-2']);
});

test('an answer that breaks off is told with a code, and a watch goes on after it [S6]', async (t) => {
  const url = await webServer(t, breakOff);
  for (const command of [['status'], ['user', 'list'], ['plugin', 'list'], ['identify']]) {
    const { code, err, out } = await run(...command, '--url', url);
    assert.match(err, /^cli\.broken-off: hear the appliance at http:\S+ to the end: aborted; [^\n]*again\n$/);
    assert.deepEqual([code, out], [1, '']);
  }
  const { dir, server } = await accessFixture(t);
  const file = path.join(dir, 'found.gz');
  const kept = await run('diagnostics', file, '--url', url);
  assert.deepEqual([kept.code, kept.out], [1, '']);
  assert.match(kept.err, /^cli\.broken-off/, 'not the file, but the appliance is what failed');
  assert.ok(!(await readdir(dir)).includes('found.gz'));

  let asked = 0;
  const local = await startControl({
    socket: path.join(dir, 'control.sock'),
    async api(request, response) {
      asked += 1;
      if (asked === 2) breakOff(request, response);
      else await server.handleLocal(request, response);
    },
  });
  t.after(() => local.stop());
  const args = ['src/supervisor/main.ts', 'status', '--watch', '--json', '--socket', `${dir}/control.sock`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  await until(
    'it has looked again',
    () => asked >= 3 && (child.exitCode !== null || out.split('\n').length > 2),
  );
  assert.equal(child.exitCode, null, err);
  assert.match(err, /^cli\.broken-off: [^\n]*\n$/);
});

test('what answers in the place of an appliance is said to be none [S6]', async (t) => {
  const html = '<html><title>Router</title>';
  const answers: readonly (readonly [number, string, string])[] = [
    [200, 'text/html', html],
    [200, 'application/json', html],
    [200, 'application/json', '[]'],
    [200, 'application/json', '{"status":"up"}'],
    [200, 'text/event-stream', 'data: <html>\n\n'],
    [404, 'text/html', html],
    [500, 'application/problem+json', html],
  ];
  const { dir } = await accessFixture(t);
  const words = path.join(dir, 'words');
  await writeFile(words, 'a long password\n');
  for (const [status, type, body] of answers) {
    const url = await webServer(t, (_request, response) => {
      response.writeHead(status, { 'Content-Type': type }).end(body);
    });
    for (const command of [
      ['status'],
      ['devices'],
      ['events'],
      ['events', '--watch'],
      ['logs'],
      ['settings'],
      ['audit'],
      ['diagnostics', path.join(dir, 'found.gz')],
      ['user', 'list'],
      ['token', 'list'],
      ['plugin', 'list'],
      ['plugin', 'logs', 'x'],
      ['trust', 'current'],
      ['account', 'password', 'boss', '--password-file', words, '--new-password-file', words],
    ]) {
      const { code, err, out } = await run(...command, '--url', url);
      const what = `${command.join(' ')} ${status} ${type} ${body}: ${err}`;
      assert.match(err, /^cli\.no-appliance: what answers is no appliance \(.*\): check --url\n$/, what);
      assert.deepEqual([code, out], [1, ''], what);
    }
  }
});

test('an appliance that has moved is told with its address, however long it talks about it [S6]', async (t) => {
  const url = await webServer(t, (_request, response) => {
    response.writeHead(308, { Location: 'https://edge.example/' }).write('and so on');
  });
  const child = spawn(process.execPath, ['src/supervisor/main.ts', 'status', '--url', url]);
  t.after(() => child.kill('SIGKILL'));
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 1);
  assert.equal(err, 'cli.moved: the appliance answers at https://edge.example/: use that\n');
});
