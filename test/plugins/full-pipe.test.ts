// A process that asks and does not read: real processes with a host of the test's own, and the daemon's side of the pipe.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';
import { openTestWorld, sessionMaker, type TestWorld } from './plugin-world.ts';

const LIMIT = { timeout: 120_000 };
const MIB = 1024 * 1024;

/** A world in which this script runs in the place of the product's host; `say(message)` writes a frame and waits for room. */
async function withHost(t: Cleanup, script: string): Promise<TestWorld> {
  const test = await openTestWorld(t);
  const hostDir = path.join(test.dir, 'own-host');
  await mkdir(hostDir);
  const head = `
    const { writeSync } = require('node:fs');
    const say = (message) => {
      const text = Buffer.from(JSON.stringify(message));
      const frame = Buffer.alloc(4 + text.length);
      frame.writeUInt32BE(text.length);
      text.copy(frame, 4);
      for (let at = 0; at < frame.length;)
        try { at += writeSync(3, frame, at); } catch (e) { if (e.code !== 'EAGAIN') process.exit(0); }
    };
    const ask = (r, request) => say({ t: 'request', r, request });
    say({ t: 'opened' });
    say({ t: 'running' });
  `;
  await writeFile(path.join(hostDir, 'host.cjs'), head + script);
  return { ...test, world: { ...test.world, boundary: { ...test.world.boundary, hostDir } } };
}

test(
  'a process that asks for much and takes nothing costs the daemon little, and ends as unresponsive [P6, P9]',
  LIMIT,
  async (t) => {
    const world = await withHost(
      t,
      `
    ask(0, { op: 'kv.set', key: 'a', json: JSON.stringify('x'.repeat(60_000)) });
    let r = 0;
    let pings = 0;
    // Below the rate that is allowed, with the answers to pings that it never read.
    setInterval(() => { for (let n = 0; n < 80; n++) ask(++r, { op: 'kv.get', key: 'a' }); }, 200);
    setInterval(() => say({ t: 'pong', n: ++pings, quietMs: 0, residentBytes: 1 }), 2_500);
    `,
    );
    const maker = await sessionMaker(world, {
      code: '',
      subscriptions: [],
      permissions: { kv: { maxBytes: MIB } },
    });
    const { ended, session } = await maker.open();
    t.after(() => session.stop());
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const look = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 20);
    const { code, reason } = await ended;
    clearInterval(look);
    assert.equal(code, 'plugins.unresponsive');
    assert.match(reason, /has not taken what it was sent for/);
    assert.ok(most < 24 * MIB, `${Math.round(most / MIB)} MiB waited for it`);
  },
);

test(
  'a process that reads late gets every answer, however much it asked for at once [P8]',
  LIMIT,
  async (t) => {
    const world = await withHost(
      t,
      `
    ask(0, { op: 'kv.set', key: 'a', json: JSON.stringify('x'.repeat(60_000)) });
    for (let r = 1; r <= 200; r++) ask(r, { op: 'kv.get', key: 'a' });
    const socket = new (require('node:net').Socket)({ fd: 3, readable: true, writable: true });
    let bytes = 0;
    setTimeout(() => socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > 200 * 60_000) say({ t: 'failed', why: 'all is there' }), process.exit(0);
    }), 1_500);
    `,
    );
    const maker = await sessionMaker(world, {
      code: '',
      subscriptions: [],
      permissions: { kv: { maxBytes: MIB } },
    });
    const { ended, session } = await maker.open();
    t.after(() => session.stop());
    assert.equal((await ended).reason, 'all is there');
  },
);

test(
  'more keys than fit into an answer are refused by name, and the plugin goes on [P8]',
  LIMIT,
  async (t) => {
    const world = await openTestWorld(t);
    // Not in `start`: as many writes to a disk may take longer than that may.
    const code = `async function fill({ kv, emit }) {
    // Six bytes of JSON for each character.
    const names = Array.from({ length: 1_400 }, (_, n) => String(n).padEnd(128, String.fromCharCode(1)));
    for (let at = 0; at < names.length; at += 200)
      await Promise.all(names.slice(at, at + 200).map((name) => kv.set(name, 1)));
    const code = await kv.keys().then(() => 'listed', (cause) => cause.code);
    for (const name of names.slice(1_350)) await kv.delete(name);
    await emit('seen', { code, left: (await kv.keys()).length });
  }
  export default { start(context) { void fill(context); } };`;
    const permissions = { kv: { maxBytes: MIB }, emit: ['seen'] };
    const maker = await sessionMaker(world, { code, level: 'low', subscriptions: [], permissions });
    const { running, session } = await maker.open();
    t.after(() => session.stop());
    await running;
    const seen = await until('it has seen', async () => {
      const { events } = await world.buffer.read({ generation: 0, number: 0 }, 10);
      return events.find(({ type }) => type === 'plugin.probe.seen');
    });
    assert.deepEqual((JSON.parse(seen.json) as { readonly data: unknown }).data, {
      code: 'kv.too-large',
      left: 1_350,
    });
  },
);
