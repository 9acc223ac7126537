import assert from 'node:assert/strict';
import test from 'node:test';
import { pluginTable } from '../../src/cli/plugin/plugin-table.ts';
import { samplePluginStatus } from '../support/sample-events.ts';

test('a plugin that runs has one line, one that does not its reason, one that fell back the version that fell and why [P6, P11]', () => {
  assert.equal(pluginTable([]), 'no plugin is installed\n');
  const lines = (plugin: Parameters<typeof pluginTable>[0][number]) =>
    pluginTable([plugin]).trim().split('\n').slice(1);
  assert.deepEqual(lines(samplePluginStatus), [
    'x     1.0.1    running  medium  19.1/128 MiB  3       1       0',
  ]);
  assert.equal(
    lines({ ...samplePluginStatus, state: 'failed', code: 'plugins.crashed', reason: 'TypeError: x' })[1],
    '  plugins.crashed: TypeError: x',
  );
  const fellBack = { version: '1.1.0', reason: 'Error: planted', at: '2026-01-01T00:00:00.000Z' };
  assert.equal(
    lines({ ...samplePluginStatus, fellBack })[1],
    '  1.1.0 did not stay up and was taken back: Error: planted',
  );
});
