import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { createLog } from '../../src/telemetry/create-log.ts';
import { openLogDestination } from '../../src/telemetry/log-destination.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

type Line = Readonly<Record<string, unknown>>;

/** A log whose lines are kept here instead of going anywhere. */
function keptLog(level: 'debug' | 'info' = 'debug') {
  const text: string[] = [];
  const destination = {
    write: (line: string) => void text.push(line),
    lost: () => 0,
    close: () => undefined,
  };
  return {
    log: createLog({ level, destination }),
    text,
    lines: () => text.map((line) => JSON.parse(line) as Line),
  };
}

test('a line is one JSON object with level, ISO time, facts and message [M3]', () => {
  const { log, text, lines } = keptLog();
  log.child({ part: 'usb' }).info({ port: '1-1', count: 3 }, 'device added');
  const [line] = lines();
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(
    { ...line, time: '' },
    { level: 'info', time: '', part: 'usb', port: '1-1', count: 3, msg: 'device added' },
  );
  assert.ok(text[0]?.endsWith('\n') && text[0].indexOf('\n') === text[0].length - 1);
});

test('lines below the level are not written [M3]', () => {
  const { log, lines } = keptLog('info');
  log.debug({}, 'quiet');
  log.child({}).debug({}, 'quiet');
  log.warn({}, 'loud');
  assert.deepEqual(
    lines().map(({ msg }) => msg),
    ['loud'],
  );
});

test('secrets are redacted at any depth, in errors, in messages and in the facts of a child [M3]', () => {
  const { log, text, lines } = keptLog();
  const cause = new Error('connect mqtts://me:hush@broker:8883 failed');
  const pem = '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----';
  log.child({ token: 'hush' }).error(
    {
      password: 'hush',
      config: { uplink: { brokerPassword: 'hush', clientSecret: 'hush', list: [{ apiKey: 'hush' }] } },
      headers: new Map([['Authorization', 'Bearer hush']]),
      request: 'GET / Authorization: Bearer hush',
      key: 'hush',
      pem,
      err: new Error('publish failed', { cause }),
      keyId: 'A1',
      keyFile: '/etc/key.pem',
    },
    'lost mqtt://me:hush@broker',
  );
  assert.doesNotMatch(text.join(''), /hush/);
  const [line] = lines();
  assert.equal(line?.keyId, 'A1');
  assert.equal(line?.keyFile, '/etc/key.pem');
  assert.equal(line?.msg, 'lost mqtt://[redacted]@broker');
  const err = line?.err as { message: string; cause: { message: string; stack: string } };
  assert.equal(err.cause.message, 'connect mqtts://[redacted]@broker:8883 failed');
  assert.match(err.cause.stack, /create-log\.test\.ts/);
});

test('a password is redacted in an address of any length and with any characters in it, in names too [M3]', () => {
  const { log, text, lines } = keptLog();
  const long = 'hush'.repeat(3_000);
  for (const address of [
    'mqtts://me:pa/hush@broker',
    'mqtts://me:pa?hush@broker',
    'mqtts://me:pa#hush@broker',
    'mqtts://me:pa@hush@broker',
    'mqtts://me:pa"hush\'hush@broker',
    'mqtts://me:pa hush@broker',
    `mqtts://me:${long}@broker`,
    `${'x'.repeat(4_080)} mqtts://me:${long}@broker`,
    `at file:///a/b.js mqtts://me:hush@broker`,
    `-----BEGIN RSA PRIVATE KEY-----${long}`,
    `${'x'.repeat(4_080)} Bearer ${long}`,
  ])
    log.info({ address, [address]: 1, list: [address], err: new Error(address) }, address);
  assert.doesNotMatch(text.join(''), /hush/);
  log.info({ stack: 'at run (file:///app/node_modules/@scope/part.js:1:2)' }, 'kept');
  assert.match(String(lines().at(-1)?.stack), /app\/node_modules\/@scope\/part\.js/);
});

test('a text made to be slow to redact is not [M3]', () => {
  const { log } = keptLog();
  const began = performance.now();
  for (const part of ['://', '://@', '@', 'a://', '-----BEGIN PRIVATE KEY-----', 'basic ', 'file://'])
    log.info({}, part.repeat(1_000_000 / part.length));
  assert.ok(performance.now() - began < 2_000, `${performance.now() - began} ms`);
});

test('facts that JSON cannot hold, circles and huge values give one bounded line [M3]', () => {
  const { log, text, lines } = keptLog();
  const circle: Record<string, unknown> = {
    big: 10n,
    raw: Buffer.alloc(9),
    at: new Date(Number.NaN),
    no: undefined,
  };
  circle.self = circle;
  log.info(circle, 'odd');
  log.info({ long: 'x'.repeat(1_000_000) }, 'y'.repeat(1_000_000));
  log.info({ part: 'usb', wide: Array.from({ length: 1_000 }, () => 'z'.repeat(5_000)) }, 'wide');
  log.info([1, 2], 'a list');
  assert.ok(text.every((line) => line.length < 20_000));
  const [odd, , wide, list] = lines();
  assert.equal(odd?.big, '10');
  assert.equal(odd?.raw, '[9 bytes]');
  assert.equal(wide?.part, 'usb');
  assert.ok(Number(wide?.shortenedFrom) > 100_000);
  assert.deepEqual(list?.facts, [1, 2]);
});

test('a full disk costs lines and is counted, and the process goes on [M3]', async () => {
  const destination = openLogDestination(openSync('/dev/full', 'w'));
  const log = createLog({ level: 'info', destination });
  log.info({}, 'one');
  log.info({}, 'two');
  await until('two lost lines', () => log.lost() === 2);
  destination.close();
});

test('a reader that is gone costs lines and is counted, and one that returns is told how many [M3]', async (t) => {
  const fifo = path.join(await tempDir(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const first = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(fifo, 'w');
  const destination = openLogDestination(fd);
  const log = createLog({ level: 'info', destination });
  await first.close();
  log.info({}, 'into nowhere');
  await until('a lost line', () => log.lost() === 1);

  const second = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  t.after(() => second.close());
  log.info({}, 'back again');
  let received = '';
  await until('the line that tells', async () => {
    const { bytesRead, buffer } = await second.read(Buffer.alloc(65_536)).catch(() => ({
      bytesRead: 0,
      buffer: Buffer.alloc(0),
    }));
    received += buffer.subarray(0, bytesRead).toString();
    return received.includes('"lost":1');
  });
  assert.match(received, /"msg":"back again"/);
  destination.close();
});

test('a reader that stalls costs lines beyond a bound, not memory, and does not block [M3]', async (t) => {
  const fifo = path.join(await tempDir(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  t.after(() => reader.close());
  const destination = openLogDestination(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK));
  for (let count = 0; count < 2_000; count++) destination.write(`${'x'.repeat(1_000)}\n`);
  assert.ok(destination.lost() > 900 && destination.lost() < 1_000, `${destination.lost()} lost`);
  destination.close();
});

test('the last lines before process.exit() are written, each once and in order [M3]', async (t) => {
  const out = path.join(await tempDir(t), 'log');
  const file = await open(out, 'w');
  const source = new URL('../../src/telemetry/create-log.ts', import.meta.url).href;
  const script = `
    const { createLog } = await import(${JSON.stringify(source)});
    const log = createLog({ level: 'info' });
    for (let n = 0; n < 500; n++) log.info({ n }, 'before');
    setImmediate(() => { log.error({ n: 500 }, 'last words'); process.exit(3); });`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', file.fd, 'pipe'],
    encoding: 'utf8',
  });
  await file.close();
  assert.equal(status, 3, stderr);
  const numbers = (await readFile(out, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Line).n);
  assert.deepEqual(
    numbers,
    Array.from({ length: 501 }, (_, n) => n),
  );
});
