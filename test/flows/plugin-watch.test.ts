// What the daemon makes of a process that is busy, but not silent: real processes, without the boundary where this machine cannot make one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestWorld, sessionMaker } from '../plugins/plugin-world.ts';
import { until } from '../support/until.ts';

/** Quiet: the flood takes 16 s, a figure of memory 3 s. */
const LIMIT_MS = 90_000;

test('a plugin that floods is slowed down and goes on; what waits in the pipe is not taken for its silence [P9]', async (t) => {
  const test = await openTestWorld(t);
  const code = `import { writeSync } from 'node:fs';
    const text = JSON.stringify({ t: 'request', r: 1, request: { op: 'kv.keys' } });
    const frame = Buffer.alloc(4 + text.length);
    frame.writeUInt32BE(text.length);
    frame.write(text, 4);
    const many = Buffer.concat(Array(100).fill(frame));
    export default {
      async start() {
        for (let n = 0; n < 100; n++) {
          for (let at = 0; at < many.length;) {
            try { at += writeSync(3, many, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; }
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    };`;
  const maker = await sessionMaker(test, { code, permissions: { kv: { maxBytes: 4_096 } } });
  const { ended, running, session } = await maker.open();
  t.after(() => session.stop());
  await Promise.race([running, ended.then(({ reason }) => assert.fail(`it ended: ${reason}`))]);
  const told = test.said.filter(({ type }) => type === 'security.violation').map(({ data }) => data);
  assert.deepEqual(
    told.map(({ action, what }) => [what, action]),
    [['rate', 'throttled']],
  );
});

test('a plugin that holds more memory than the configured share of its limit is started anew [P15]', async (t) => {
  const { world, ...test } = await openTestWorld(t);
  const config = { ...world.config, recycleAtMemoryPercent: 5 };
  const maker = await sessionMaker({ ...test, world: { ...world, config } }, { code: 'export default {};' });
  const { session, worn } = await maker.open();
  t.after(() => session.stop());
  let why: string | undefined;
  void worn.then((reason) => {
    why = reason;
  });
  await until('it is worn', () => why, LIMIT_MS);
  assert.match(why ?? '', /more than 5 % of its limit/);
});
