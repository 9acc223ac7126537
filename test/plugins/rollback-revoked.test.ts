import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { verifyBundle } from '../../src/bundle/verify-bundle.ts';
import { PluginShelf } from '../../src/plugins/control/plugin-shelf.ts';
import { openValidatedBundles } from '../../src/plugins/registry/validated-bundles.ts';
import { type Signers, signersOf } from '../../src/trust/signers.ts';
import { testKey } from '../trust/test-keys.ts';
import { openTestWorld } from './plugin-world.ts';
import { signedPlugin } from './test-plugins.ts';

const code = 'export default {};';

test('a version that is trusted no longer is not rolled back to: the newer one goes on [P11, P2]', {
  timeout: 120_000,
}, async (t) => {
  const { world, dir } = await openTestWorld(t);
  const { public: publisher } = await testKey('publisher');
  let signers: Signers = signersOf([publisher]);
  const bundles = await openValidatedBundles({
    dir: path.join(dir, 'code'),
    verify: ({ bytes, signatureText }, nowMs) => verifyBundle(bytes, signatureText, signers, nowMs),
    trustKey: async () => [...signers.revokedContent].join(),
  });
  const shelf = new PluginShelf({ ...world, bundles });
  t.after(() => shelf.stopAll());
  const install = async (version: string) => {
    const { bytes, signature } = await signedPlugin({ code, version, permissions: {}, subscriptions: [] });
    const act = await shelf.install(bytes, signature);
    assert.ok(act.ok, act.ok ? '' : act.reason);
    return act.detail;
  };
  assert.equal(await install('1.0.0'), 'installed');
  const [first] = (await world.registry.list()).records;
  assert.equal(await install('1.1.0'), 'upgraded from 1.0.0');
  assert.equal(await install('1.1.0'), 'installed again: 1.1.0');

  signers = { ...signers, revokedContent: new Set([first?.current.sha256 ?? '']) };
  const act = await shelf.rollback('probe');
  assert.equal(act.ok ? 'rolled back' : act.code, 'trust.content-revoked');
  assert.match(act.ok ? '' : act.reason, /^the earlier 1\.0\.0 may not run any more, 1\.1\.0 stays: /);
  const [now] = await shelf.list();
  assert.deepEqual([now?.state, now?.version, now?.previousVersion], ['running', '1.1.0', '1.0.0']);

  signers = signersOf([publisher]);
  assert.equal((await shelf.rollback('probe')).ok, true);
  assert.equal((await shelf.list())[0]?.version, '1.0.0');
});
