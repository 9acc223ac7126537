import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { readConfigFile } from '../../src/config/read-config-file.ts';
import { tempDir } from '../support/temp-dir.ts';

test('a configuration file is read as it is [Q3]', async (t) => {
  const file = path.join(await tempDir(t), 'edge.json');
  await writeFile(file, '\uFEFF{"log":{}} ä');
  assert.equal(await readConfigFile(file), '\uFEFF{"log":{}} ä');
});

test('what is no readable text file of 1 MiB at most is refused with the path and a code [Q3]', async (t) => {
  const dir = await tempDir(t);
  const fifo = path.join(dir, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const latin = path.join(dir, 'latin.json');
  await writeFile(latin, Buffer.from([0x7b, 0xe4, 0x7d]));
  const large = path.join(dir, 'large.json');
  await writeFile(large, Buffer.alloc(1_048_577, 0x20));
  for (const [file, code, why] of [
    [path.join(dir, 'none.json'), 'config.unreadable', /ENOENT/],
    [dir, 'config.unreadable', /not a regular file/],
    [fifo, 'config.unreadable', /not a regular file/],
    ['/dev/zero', 'config.unreadable', /not a regular file/],
    [latin, 'config.not-json', /not UTF-8/],
    [large, 'config.too-large', /1048576 bytes/],
  ] as const) {
    await assert.rejects(readConfigFile(file), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, file);
      assert.match(error.message, why);
      assert.ok(error.message.includes(file));
      return true;
    });
  }
});
