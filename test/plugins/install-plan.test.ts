import assert from 'node:assert/strict';
import test from 'node:test';
import type { PluginManifest } from '../../src/contracts/plugin-manifest.ts';
import { planInstall, planRollback } from '../../src/plugins/control/install-plan.ts';
import type { PluginRecord } from '../../src/plugins/registry/plugin-record.ts';

const manifest = (version: string, securityCounter: number) =>
  ({ name: 'x', version, securityCounter }) as PluginManifest;
const digest = (letter: string) => letter.repeat(64);

function installed(...versions: readonly (readonly [string, number])[]): PluginRecord {
  let record: PluginRecord | null = null;
  for (const [index, [version, counter]] of versions.entries()) {
    const plan = planInstall(
      manifest(version, counter),
      digest(String.fromCharCode(97 + index)),
      record,
      index,
    );
    assert.ok(plan.ok, plan.ok ? '' : plan.reason);
    record = plan.record;
  }
  assert.ok(record !== null);
  return record;
}

test('a higher version replaces a lower one, which is kept; the same build again keeps what was kept [P11]', () => {
  const record = installed(['1.0.0', 0], ['1.1.0', 0]);
  assert.deepEqual(
    [record.current.version, record.previous?.version, record.onProbation],
    ['1.1.0', '1.0.0', true],
  );
  const again = planInstall(manifest('1.1.0', 0), digest('b'), record, 9);
  assert.ok(again.ok);
  assert.deepEqual([again.record.previous?.version, again.record.onProbation], ['1.0.0', false]);
});

test('a lower version and a lower security counter are refused, each by itself [P11]', () => {
  const record = installed(['1.0.0', 0], ['1.1.0', 4]);
  for (const [version, counter] of [
    ['1.0.9', 4],
    ['1.1.0-rc.1', 4],
    ['2.0.0', 3],
  ] as const) {
    const plan = planInstall(manifest(version, counter), digest('c'), record, 9);
    assert.equal(plan.ok ? 'taken' : plan.code, 'plugins.downgrade', version);
  }
});

test('a rollback goes to the version before, unless a raised security counter forbids it; a bad version is not kept [P11]', () => {
  const record = installed(['1.0.0', 2], ['1.1.0', 2]);
  const back = planRollback(record, null);
  assert.ok(back.ok);
  assert.deepEqual([back.record.current.version, back.record.previous?.version], ['1.0.0', '1.1.0']);
  const alone = planRollback(record, { reason: `planted ${'x'.repeat(2_000)}`, atMs: 7 });
  assert.ok(alone.ok);
  assert.equal(alone.record.previous, null);
  assert.deepEqual(
    [alone.record.fellBack?.version, alone.record.fellBack?.reason.length, alone.record.fellBack?.atMs],
    ['1.1.0', 500, 7],
  );
  // What is installed next has nothing to do with it.
  const next = planInstall(manifest('1.2.0', 2), digest('d'), alone.record, 9);
  assert.equal(next.ok ? next.record.fellBack : undefined, null);
  const forbidden = planRollback(installed(['1.0.0', 2], ['1.1.0', 3]), null);
  assert.equal(forbidden.ok ? 'taken' : forbidden.code, 'plugins.downgrade');
  const nothing = planRollback(installed(['1.0.0', 2]), null);
  assert.equal(nothing.ok ? 'taken' : nothing.code, 'plugins.no-previous-version');
});
