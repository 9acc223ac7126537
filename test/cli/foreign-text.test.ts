// What others wrote (a plugin, a device, a broker, who answers at --url) in front of a person: it moves no cursor and forges no line.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { accountCommand } from '../../src/cli/account-command.ts';
import type { Command } from '../../src/cli/command.ts';
import { factoryResetCommand } from '../../src/cli/machine-commands.ts';
import { pluginTable } from '../../src/cli/plugin/plugin-table.ts';
import { startControl } from '../../src/status/start-control.ts';
import { accessFixture } from '../status/access-fixture.ts';
import { goodPassword } from '../status/api-client.ts';
import { willingControl, willingDevice } from '../status/willing-control.ts';
import { samplePluginStatus } from '../support/sample-events.ts';
import { run } from './run.ts';

/** Into the clipboard, an empty screen, red by one character, from right to left, and a line of its own. */
const evil = '\r\u001b]52;c;aGk=\u0007\u001b[2J\u009b31m\u202e\nFORGED ok';
/** Within the string that a JSON document has it in. */
const evilInJson = JSON.stringify(evil).slice(1, -1);

/** Every string of a document, with that at its end. */
function spoilt(value: unknown): unknown {
  if (typeof value === 'string') return value + evil;
  if (Array.isArray(value)) return value.map(spoilt);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spoilt(each)]));
}

function assertPlain(shown: string, what: string): void {
  assert.doesNotMatch(shown, /[^\P{C}\n]/u, what);
  assert.doesNotMatch(shown, /^FORGED/m, what);
}

async function passBack(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(answer);
  const type = String(answer.headers['content-type'] ?? 'application/json');
  response.writeHead(answer.statusCode ?? 500, { 'Content-Type': type });
  response.end(type.includes('json') && body !== '' ? JSON.stringify(spoilt(JSON.parse(body))) : body);
}

/** A real appliance, and somebody between who adds to all that it says. */
async function hostile(t: TestContext) {
  const fixture = await accessFixture(t, { control: willingControl, devices: () => [willingDevice] });
  const socket = path.join(fixture.dir, 'control.sock');
  const local = await startControl({ socket, api: fixture.server.handleLocal });
  t.after(() => local.stop());
  const between = createServer((request, response) => {
    const { method, url: at = '' } = request;
    const own = /session$/.test(at)
      ? { csrf: 'x' }
      : /totp$/.test(at)
        ? spoilt({ secret: 's', uri: 'u' })
        : null;
    if (own !== null) return void response.end(JSON.stringify(own));
    if (/events\?/.test(at)) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const said = [
        { id: '1-1', type: 'x', subject: 'y', time: 't', specversion: '1.0' },
        { code: 'c', message: 'm' },
      ];
      return void response.end(said.map((each) => `data: ${JSON.stringify(spoilt(each))}\n\n`).join(''));
    }
    const { headers } = request;
    const passedOn = requestHttp({ socketPath: socket, method, path: at, headers });
    request.pipe(passedOn);
    passedOn.once('response', (answer) => void passBack(answer, response));
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  t.after(() => {
    between.close();
    between.closeAllConnections();
  });
  fixture.buffer.append(3);
  const file = async (name: string, content: string) => {
    const at = path.join(fixture.dir, name);
    await writeFile(at, content);
    return at;
  };
  return { ...fixture, file, url: `http://127.0.0.1:${(between.address() as AddressInfo).port}` };
}

test('whatever an appliance says, here or behind --url, moves no cursor and makes no line of its own [S6, S8]', async (t) => {
  const { file, url } = await hostile(t);
  const words = await file('password', `${goodPassword}\n`);
  const bundle = await file('probe-1.0.0.awp', 'bundle');
  await file('probe-1.0.0.awp.minisig', 'untrusted comment');
  const map = { version: 3, sources: [], names: [], mappings: '', x_plugin: { name: evil, version: evil } };
  const names = ['--tenant', 'a', '--site', 'b', '--name', 'c', '--broker', 'mqtts://broker.example'];
  for (const argv of [
    ['status'],
    ['status', '--all'],
    ['devices'],
    ['events'],
    ['events', '--watch'],
    ['logs'],
    ['settings'],
    ['identify'],
    ['reboot', '--yes'],
    ['device', 'allow', '1-1.4'],
    ['device', 'allow', '1-9'],
    ['setup', ...names, '--replace', '--yes'],
    ['setup', ...names],
    ['user', 'add', 'boss', '--role', 'admin', '--password-file', words],
    ['user', 'add', 'boss', '--role', 'admin', '--password-file', words],
    ['user', 'list'],
    ['token', 'add', 'scraper', '--role', 'viewer'],
    ['token', 'list'],
    ['audit'],
    ['plugin', 'install', bundle],
    ['plugin', 'list'],
    ['plugin', 'enable', 'probe'],
    ['plugin', 'enable', 'none'],
    ['plugin', 'logs', 'probe'],
    ['plugin', 'logs', 'probe', '--map', await file('map', JSON.stringify(map))],
    ['trust', 'install', await file('trust.json', '{}')],
    ['trust', 'install', await file('trust.json', '{}'), '--first'],
    ['trust', 'current'],
  ]) {
    const { err, out } = await run(...argv, '--url', url);
    assert.notEqual(out + err, '', argv.join(' '));
    assertPlain(out + err, `${argv.join(' ')}: ${JSON.stringify(out + err)}`);
  }
  const { out } = await run('plugin', 'logs', 'probe', '--json', '--url', url);
  assert.ok(out.includes(evilInJson) && JSON.parse(out), 'a program gets what was said');
});

test('a question, and the secret of a second factor, show nothing but themselves [S6, S8]', async (t) => {
  const { file, url } = await hostile(t);
  const told: string[] = [];
  const asked = async (command: Command, ...args: readonly string[]) =>
    command.run({
      ...{ args: [...args, '--url', url], environment: {}, isTerminal: true },
      output: { isTerminal: true, ended: new AbortController().signal },
      print: (line) => void told.push(line),
      complain: (line) => void told.push(line),
      async ask(question) {
        told.push(`${question}\n`);
        return '123456';
      },
    });
  await asked(factoryResetCommand);
  await asked(accountCommand, 'totp-on', 'boss', '--password-file', await file('password', goodPassword));
  assert.match(told.join(''), /lost for good.*Secret: s /s);
  assertPlain(told.join(''), JSON.stringify(told));
});

test('the reasons of a plugin stay in their line; a trace in its log keeps its lines, set in [S6, P6]', () => {
  const table = pluginTable([
    {
      ...samplePluginStatus,
      ...{ state: 'failed', code: 'plugins.crashed', reason: `TypeError${evil}`, version: `1${evil}` },
      fellBack: { version: '1.1.0', reason: evil, at: '2026-01-01T00:00:00.000Z' },
    },
  ]);
  assertPlain(table, JSON.stringify(table));
  assert.equal(table.split('\n').length, 5);
});

test('doctor and the checks of files repeat nothing that writes into the terminal [S6]', async (t) => {
  const { dir, file } = await hostile(t);
  const wrong = await file('wrong.json', JSON.stringify({ uplink: { url: `mqtt://${evil}` }, [evil]: 1 }));
  for (const argv of [
    ['config', 'check', '--config', wrong],
    ['config', 'show', '--config', wrong],
    [
      'config',
      'show',
      '--config',
      await file('named.json', JSON.stringify({ appliance: { stateDir: `/x\u009b${'y'}` } })),
    ],
    ['doctor', '--config', wrong, '--root', dir],
    ['provision', '--from', wrong, '--to', path.join(dir, 'to')],
    ['trust', 'show', wrong],
    ['plugin', 'install', `/nowhere/${evil}`],
  ]) {
    const { err, out } = await run(...argv);
    assertPlain(out + err, `${argv[0]} ${argv[1]}: ${JSON.stringify(out + err)}`);
  }
});
