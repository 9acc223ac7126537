import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { readFolderState, watchSaves } from '../../src/supervisor/watch-saves.ts';
import { tempDir } from '../support/temp-dir.ts';

async function watchedFolder(t: TestContext) {
  const dir = await tempDir(t);
  mkdirSync(path.join(dir, 'src'));
  const file = path.join(dir, 'src/plugin.ts');
  writeFileSync(file, '1');
  const ending = new AbortController();
  const saves: string[] = [];
  let waiting: ((saved: string) => void) | null = null;
  const watching = watchSaves(dir, await readFolderState(dir), {
    signal: ending.signal,
    async onSaved(saved) {
      if (waiting === null) saves.push(saved);
      else waiting(saved);
      waiting = null;
    },
  });
  t.after(async () => {
    ending.abort();
    await watching;
  });
  /** Of the save that `change` makes. */
  const savedBy = (change: () => void) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting = resolve;
    change();
    return promise;
  };
  return { dir, file, saves, savedBy };
}

const limit = { timeout: 60_000 };

test(
  'each save is seen, in whatever way the editor writes, also after one that put another file in its place [P12]',
  limit,
  async (t) => {
    const { dir, file, savedBy, saves } = await watchedFolder(t);
    const replace = () => {
      const other = path.join(dir, 'src/sedAbCdEf');
      writeFileSync(other, 'another');
      renameSync(other, file);
    };
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal(await savedBy(replace), 'src/plugin.ts');
      assert.equal(await savedBy(() => appendFileSync(file, 'more')), 'src/plugin.ts');
    }
    assert.equal(await savedBy(() => writeFileSync(path.join(dir, 'plugin.json'), '{}')), 'plugin.json');
    assert.equal(await savedBy(() => rmSync(path.join(dir, 'plugin.json'))), 'plugin.json');
    assert.deepEqual(saves, []);
  },
);

test('what building, signing and installing packages write is no save [P12]', limit, async (t) => {
  const { dir, file, savedBy, saves } = await watchedFolder(t);
  mkdirSync(path.join(dir, 'node_modules/one'), { recursive: true });
  writeFileSync(path.join(dir, 'node_modules/one/index.js'), '');
  writeFileSync(path.join(dir, 'door-0.1.0.awp'), '');
  writeFileSync(path.join(dir, 'door-0.1.0.awp.minisig'), '');
  assert.equal(await savedBy(() => appendFileSync(file, 'more')), 'src/plugin.ts');
  assert.deepEqual(saves, []);
});
