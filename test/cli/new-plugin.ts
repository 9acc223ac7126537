// What `plugin init` makes, ready to be built, with a key to sign with.
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { run } from './run.ts';

export const repository = path.resolve(import.meta.dirname, '../..');

/** As after `npm install`, without the network. */
export async function newPlugin(t: TestContext, name = 'door-bell') {
  const dir = await tempDir(t);
  const project = path.join(dir, name);
  const made = await run('plugin', 'init', project);
  assert.equal(made.code, 0, made.err);
  symlinkSync(path.join(repository, 'node_modules'), path.join(project, 'node_modules'));
  const key = path.join(dir, 'me');
  assert.equal((await run('key', 'new', '--out', key, '--no-password')).code, 0);
  const edit = (change: (source: Record<string, unknown>) => void) => {
    const file = path.join(project, 'plugin.json');
    const source = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    change(source);
    writeFileSync(file, JSON.stringify(source));
  };
  const build = (...more: string[]) => run('plugin', 'build', project, '--out', dir, ...more);
  return {
    dir,
    project,
    edit,
    build,
    key: `${key}.key`,
    pub: `${key}.pub`,
    bundle: path.join(dir, `${name}-0.1.0.awp`),
  };
}
