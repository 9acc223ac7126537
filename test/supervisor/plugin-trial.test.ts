import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { run } from '../cli/run.ts';
import { tempDir } from '../support/temp-dir.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const limit = { timeout: 120_000 };

/** `autoweave plugin …` as a process of its own. */
async function trial(...args: readonly string[]) {
  const child = spawn(process.execPath, [path.join(repository, 'src/supervisor/main.ts'), 'plugin', ...args]);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { out, err, code };
}

async function newPlugin(t: TestContext, onEvent: string) {
  const dir = await tempDir(t);
  const project = path.join(dir, 'key-counter');
  assert.equal((await run('plugin', 'init', project)).code, 0);
  symlinkSync(path.join(repository, 'node_modules'), path.join(project, 'node_modules'));
  const source = `import { definePlugin, type UsbDeviceData } from './plugin-api.ts';
export default definePlugin({ async onEvent(event, { emit, kv, log }) { ${onEvent} } });
`;
  writeFileSync(path.join(project, 'src/plugin.ts'), source);
  return { dir, project };
}

const keyboardsAlone = `
  const { device } = event.data as UsbDeviceData;
  if (!device.interfaces.some((one) => one.class === '03' && one.protocol === '01')) return;
  await emit('counted', { product: device.product });`;

test('of the simulated devices one is a keyboard by what its interface says [P12]', limit, async (t) => {
  const { project } = await newPlugin(t, keyboardsAlone);
  const { code, out } = await trial('test', project);
  assert.equal(code, 0, out);
  assert.match(out, /emitted .* \{"product":"USB Keyboard"\}/);
  assert.match(out, /^ok: 3 events handled, 1 emitted, 0 put aside/m);
});

test(
  'each event that a plugin throws at is named and counted, and the trial fails [P12]',
  limit,
  async (t) => {
    const { project } = await newPlugin(t, `throw new Error('no luck');`);
    const { code, out } = await trial('test', project);
    assert.equal(code, 1, out);
    assert.equal(
      out.match(/^plugin\.parked: event 1-\d+ \(usb\.device\.added\): Error: no luck/gm)?.length,
      3,
      out,
    );
    assert.match(out, /^FAILED: 0 events handled, 0 emitted, 3 put aside/m);
    // The source has two lines, and what runs is one file made of it and of others.
    assert.ok(out.includes(`(${project}/src/plugin.ts:2:`), out);
    assert.doesNotMatch(out, /plugin\.mjs/);
  },
);

test(
  'dev and test whose output nobody reads any more end without a trace, and leave nothing behind [P12]',
  limit,
  async (t) => {
    const { dir, project } = await newPlugin(t, keyboardsAlone);
    const temporary = path.join(dir, 'tmp');
    mkdirSync(temporary);
    for (const verb of ['dev', 'test']) {
      const child = spawn(
        process.execPath,
        [path.join(repository, 'src/supervisor/main.ts'), 'plugin', verb, project],
        { env: { ...process.env, TMPDIR: temporary } },
      );
      t.after(() => child.kill('SIGKILL'));
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      child.stdout.once('data', () => child.stdout.destroy());
      const [err, code] = await Promise.all([text(child.stderr), ended]);
      assert.deepEqual([verb, code, err], [verb, 0, '']);
      assert.deepEqual(readdirSync(temporary), []);
    }
  },
);

test('a permission that was forgotten is named with its place in plugin.json [P12]', limit, async (t) => {
  const { project } = await newPlugin(t, `await emit('told', {}); await kv.get('x'); log.info('');`);
  const { code, out } = await trial('test', project);
  assert.equal(code, 1, out);
  assert.match(
    out,
    /^plugin\.blocked: permission: emit told: plugin\.json has no "told" in permissions\.emit/m,
  );
});

test(
  'a wrong option, folder or list of events ends dev and test at once and says what is right [P12]',
  limit,
  async (t) => {
    const { dir, project } = await newPlugin(t, '');
    const option = await trial('test', project, '--eventz', 'x');
    assert.equal(option.code, 2);
    assert.match(
      option.err,
      /^cli\.usage: Unknown option '--eventz'[\s\S]*Usage: autoweave plugin test \[DIR\]/,
    );
    const nowhere = await trial('dev', path.join(dir, 'nowhere'));
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.err, /^cli\.unreadable: .*plugin\.json.*`autoweave plugin init NAME` makes one/);
    const events = path.join(dir, 'events.json');
    writeFileSync(events, '[{"type":"usb.device.added","data":{}}]');
    const list = await trial('test', project, '--events', events);
    assert.equal(list.code, 1);
    assert.match(list.err, /must be a list of \{"type","subject","data"\}, and \/0\/subject is missing/);
  },
);
