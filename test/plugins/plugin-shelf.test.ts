// What the shelf keeps, forgets and decides by itself: signed plugins, real processes.
import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { verifyBundle } from '../../src/bundle/verify-bundle.ts';
import { PluginShelf } from '../../src/plugins/control/plugin-shelf.ts';
import { openValidatedBundles } from '../../src/plugins/registry/validated-bundles.ts';
import { type Signers, signersOf } from '../../src/trust/signers.ts';
import { until } from '../support/until.ts';
import { testKey } from '../trust/test-keys.ts';
import { openTestShelf } from './open-test-shelf.ts';
import { openTestWorld } from './plugin-world.ts';
import { signedPlugin } from './test-plugins.ts';

const LIMIT = { timeout: 120_000 };
const forges = `import { writeSync } from 'node:fs';
export default { start() {
  const text = JSON.stringify({ t: 'installed' });
  const frame = Buffer.alloc(4 + text.length);
  frame.writeUInt32BE(text.length);
  frame.write(text, 4);
  writeSync(3, frame);
} };`;
const falls = `export default { start() { throw new Error('planted'); } };`;

test(
  'code is kept unpacked of the running version and the one before; refused, older and removed ones go [P11]',
  LIMIT,
  async (t) => {
    const { codeDir, install, sha256Of, shelf } = await openTestShelf(t);
    const hashes: string[] = [];
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      await install({ version });
      hashes.push(await sha256Of('probe'));
    }
    const folders = async () => (await readdir(codeDir)).sort();
    const kept = hashes
      .slice(1)
      .map((sha256) => `probe-${sha256}`)
      .sort();
    assert.deepEqual(await folders(), kept);
    await assert.rejects(install({ version: '1.0.5' }), /plugins\.downgrade/);
    await assert.rejects(
      install({ name: 'other', requires: [{ plugin: 'zz', atLeast: '1.0.0' }] }),
      /bundle\.dependency-missing/,
    );
    assert.deepEqual(await folders(), kept);
    await shelf.remove('probe');
    assert.deepEqual(await folders(), []);
  },
);

test(
  'a version without a fix that was installed once is refused also after that was removed, and an event says so [P11]',
  LIMIT,
  async (t) => {
    const { install, said, shelf } = await openTestShelf(t);
    await install({ version: '1.1.0', securityCounter: 2 });
    await shelf.remove('probe');
    await assert.rejects(
      install({ version: '1.2.0', securityCounter: 1 }),
      /plugins\.downgrade: .*2 was installed here once/,
    );
    const refused = said.filter(({ type }) => type === 'plugin.rejected').map(({ data }) => data);
    assert.deepEqual(
      refused.map(({ code, version }) => `${String(code)} ${String(version)}`),
      ['plugins.downgrade 1.2.0'],
    );
    await install({ version: '1.3.0', securityCounter: 2 });
  },
);

test(
  'all unpacked code together has a bound, and what would go beyond is refused by name [P6]',
  LIMIT,
  async (t) => {
    const { public: publisher } = await testKey('publisher');
    const { world, dir } = await openTestWorld(t);
    const bundles = await openValidatedBundles({
      dir: path.join(dir, 'small'),
      verify: ({ bytes, signatureText }, nowMs) =>
        verifyBundle(bytes, signatureText, signersOf([publisher]), nowMs),
      trustKey: async () => 'one',
      mostUnpackedBytes: 30_000,
    });
    const shelf = new PluginShelf({ ...world, bundles });
    t.after(() => shelf.stopAll());
    const code = `export default {}; // ${'x'.repeat(12_000)}`;
    const install = async (name: string) => {
      const { bytes, signature } = await signedPlugin({ code, name, permissions: {}, subscriptions: [] });
      const act = await shelf.install(bytes, signature);
      return act.ok ? act.detail : act.code;
    };
    assert.deepEqual(
      [await install('aa'), await install('bb'), await install('cc')],
      ['installed', 'installed', 'plugins.no-room'],
    );
    await shelf.remove('aa');
    assert.equal(await install('cc'), 'installed');
  },
);

test('a new trust document leaves the folder of a running plugin untouched [P2]', LIMIT, async (t) => {
  const { codeDir, install, revoke, shelf } = await openTestShelf(t);
  await install({});
  const [folder = ''] = await readdir(codeDir);
  const inodes = async () =>
    Promise.all(['', 'plugin.mjs'].map(async (file) => (await stat(path.join(codeDir, folder, file))).ino));
  const before = await inodes();
  revoke('0'.repeat(64));
  await shelf.recheck('another document');
  assert.equal(shelf.plugins[0]?.state, 'running');
  assert.deepEqual(await inodes(), before);
});

test('the same bytes with another signature are judged anew [P1]', LIMIT, async (t) => {
  const { bundles, install } = await openTestShelf(t);
  await install({});
  const { bytes, signature } = await signedPlugin({
    code: 'export default {};',
    permissions: {},
    subscriptions: [],
  });
  assert.ok((await bundles.validate({ bytes, signatureText: signature }, 7)).ok);
  assert.equal((await bundles.validate({ bytes, signatureText: 'none' }, 7)).ok, false);
});

test(
  'a fall that a rollback by hand has overtaken changes nothing: the good version runs, the bad one is not run again [P11]',
  LIMIT,
  async (t) => {
    const world = await openTestWorld(t);
    let fallen = 0;
    let asked: Promise<unknown> | undefined;
    const test = await openTestShelf(
      t,
      {
        say(type, subject, data) {
          world.world.say(type, subject, data);
          // At the very moment of the third fall somebody asks for the version before.
          if (type === 'plugin.failed' && ++fallen === 3) asked = test.shelf.rollback('probe');
        },
      },
      world,
    );
    await test.install({ version: '1.0.0' });
    await test.install({ version: '1.1.0', code: falls });
    await until('it fell three times', () => asked, 60_000);
    await asked;
    // Acts are done in order: this one comes after what the fall may have asked for.
    await test.shelf.recheck('to wait');
    const [now] = await test.shelf.list();
    assert.deepEqual([now?.version, now?.previousVersion, now?.state], ['1.0.0', '1.1.0', 'running']);
  },
);

test(
  'a version that falls three times in its first minute still goes back by itself [P11]',
  LIMIT,
  async (t) => {
    const { install, said, shelf } = await openTestShelf(t);
    await install({ version: '1.0.0' });
    await install({ version: '1.1.0', code: falls });
    await until('it is back', () => said.some(({ data }) => data.how === 'rolled-back-by-itself'), 60_000);
    const [now] = await shelf.list();
    assert.deepEqual([now?.version, now?.previousVersion, now?.fellBack?.version], ['1.0.0', null, '1.1.0']);
  },
);

test(
  'a plugin that was blocked stays so over a new start of the daemon, until somebody enables it [P10]',
  LIMIT,
  async (t) => {
    const first = await openTestShelf(t);
    await first.install({ code: forges }).catch(() => undefined);
    await until('it is blocked on disk', async () => {
      const { records } = await first.world.registry.list();
      return records[0]?.blocked;
    });
    const { shelf } = await first.again();
    await shelf.startAll();
    const [status] = await shelf.list();
    assert.deepEqual([status?.state, status?.code, status?.starts], ['blocked', 'plugins.violation', 0]);
    await shelf.recheck('another document');
    assert.equal((await shelf.list())[0]?.starts, 0);
    await shelf.enable('probe');
    assert.equal((await shelf.list())[0]?.starts, 1);
  },
);

test(
  'a clock years behind does not refuse what a younger key signed; one that is synchronized decides by itself [P2, U9]',
  LIMIT,
  async (t) => {
    const { public: publisher } = await testKey('publisher');
    const issuedMs = Date.UTC(2025, 0, 1);
    const [signer] = signersOf([publisher]).keys;
    assert.ok(signer !== undefined);
    const signers: Signers = {
      ...signersOf([publisher]),
      keys: [{ ...signer, validFromMs: issuedMs - 1_000 }],
      expiresMs: Date.UTC(2026, 0, 1),
    };
    const install = async (wallMs: number, synced: boolean) => {
      const { world, dir } = await openTestWorld(t);
      const bundles = await openValidatedBundles({
        dir: path.join(dir, 'dated'),
        verify: ({ bytes, signatureText }, nowMs) => verifyBundle(bytes, signatureText, signers, nowMs),
        trustKey: async () => 'one',
      });
      const clock = { ...world.clock, now: () => ({ ...world.clock.now(), wallMs, synced }) };
      const shelf = new PluginShelf({ ...world, bundles, clock, provenMs: async () => issuedMs });
      t.after(() => shelf.stopAll());
      const { bytes, signature } = await signedPlugin({ code: 'export default {};', permissions: {} });
      const act = await shelf.install(bytes, signature);
      return act.ok ? act.detail : act.code;
    };
    assert.equal(await install(0, false), 'installed');
    assert.equal(await install(0, true), 'trust.key-not-valid');
    assert.equal(await install(Date.UTC(2025, 5, 1), true), 'installed');
    assert.equal(await install(Date.UTC(2027, 0, 1), false), 'trust.document-expired');
  },
);

test(
  'a plugin that is disabled while it is being recycled stays stopped, and its own stop runs once [P15]',
  LIMIT,
  async (t) => {
    const world = await openTestWorld(t);
    let recycling: Promise<unknown> | undefined;
    const config = { ...world.world.config, recycleAfterEvents: 1 };
    const test = await openTestShelf(
      t,
      {
        config,
        say(type, subject, data) {
          world.world.say(type, subject, data);
          if (type === 'plugin.stopping') recycling ??= test.shelf.disable('probe');
        },
      },
      world,
    );
    const code = `export default {
    onEvent() {},
    async stop({ log }) { log.info('its own stop'); await new Promise((resolve) => setTimeout(resolve, 300)); },
  };`;
    await test.install({ code, subscriptions: ['usb.device.added'] });
    await until('it has its events', () => test.shelf.plugins[0]?.state === 'running');
    await until('it is recycled', async () => {
      await test.appendPlugs(1, 1, 1);
      return recycling;
    });
    await recycling;
    await test.shelf.recheck('to wait');
    const [now] = await test.shelf.list();
    assert.deepEqual([now?.state, now?.enabled, now?.starts], ['stopped', false, 1]);
    const stops = (test.shelf.logs('probe') ?? []).filter(({ text }) => text === 'its own stop');
    assert.equal(stops.length, 1);
  },
);
