// A shelf of signed plugins in this process: real bundles, real Redis, real processes; who is trusted can change.
import path from 'node:path';
import { verifyBundle } from '../../src/bundle/verify-bundle.ts';
import { PluginShelf } from '../../src/plugins/control/plugin-shelf.ts';
import { openValidatedBundles, type ValidatedBundles } from '../../src/plugins/registry/validated-bundles.ts';
import type { PluginWorld } from '../../src/plugins/supervise/plugin-world.ts';
import { type Signers, signersOf } from '../../src/trust/signers.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';
import type { Cleanup } from '../support/with-cleanup.ts';
import { testKey } from '../trust/test-keys.ts';
import { openTestWorld, type TestWorld } from './plugin-world.ts';
import { type PluginParts, signedPlugin } from './test-plugins.ts';

export interface TestShelf extends TestWorld {
  readonly bundles: ValidatedBundles;
  readonly shelf: PluginShelf;
  readonly logged: readonly LogLine[];
  /** Where code is unpacked. */
  readonly codeDir: string;
  /** Builds with these hashes count no longer; all others do. */
  revoke(...hashes: readonly string[]): void;
  /** Refuses the test when it is refused. */
  install(parts: Partial<PluginParts>): Promise<string>;
  sha256Of(name: string): Promise<string>;
  /** As after a new start of the daemon, on the same registry. */
  again(more?: Partial<PluginWorld>): Promise<TestShelf>;
}

const idle = 'export default {};';

export async function openTestShelf(
  t: Cleanup,
  changes: Partial<PluginWorld> = {},
  world?: TestWorld,
): Promise<TestShelf> {
  return openShelf(t, world ?? (await openTestWorld(t)), changes, 1);
}

async function openShelf(
  t: Cleanup,
  test: TestWorld,
  changes: Partial<PluginWorld>,
  run: number,
): Promise<TestShelf> {
  const { public: publisher } = await testKey('publisher');
  let signers: Signers = signersOf([publisher]);
  const codeDir = path.join(test.dir, `code-${run}`);
  const bundles = await openValidatedBundles({
    dir: codeDir,
    verify: ({ bytes, signatureText }, nowMs) => verifyBundle(bytes, signatureText, signers, nowMs),
    trustKey: async () => [...signers.revokedContent].join(),
  });
  const logged: LogLine[] = [];
  const shelf = new PluginShelf({ ...test.world, log: recordingLog(logged), bundles, ...changes });
  t.after(() => shelf.stopAll());
  return {
    ...test,
    ...{ bundles, shelf, logged, codeDir },
    revoke(...hashes) {
      signers = { ...signersOf([publisher]), revokedContent: new Set(hashes) };
    },
    async install(parts) {
      const plugin = await signedPlugin({ code: idle, permissions: {}, subscriptions: [], ...parts });
      const act = await shelf.install(plugin.bytes, plugin.signature);
      if (!act.ok) throw new Error(`${act.code}: ${act.reason}`);
      return act.detail;
    },
    async sha256Of(name) {
      const { records } = await test.world.registry.list();
      return records.find((record) => record.name === name)?.current.sha256 ?? 'none';
    },
    async again(more = {}) {
      await shelf.stopAll();
      return openShelf(t, test, { ...changes, ...more }, run + 1);
    },
  };
}
