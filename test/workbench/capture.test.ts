import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { parseCapture, readCaptures } from '../../src/workbench/capture.ts';
import { tempDir } from '../support/temp-dir.ts';

const file = 'test/fixtures/captures/keyboard.json';
const good = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
const withChange = (change: Record<string, unknown>) => JSON.stringify({ ...good, ...change });

test('every recording in the tree can be replayed [Q4]', () => {
  const folders = ['test/fixtures/captures', 'src/workbench/captures'].filter(
    (folder) => existsSync(folder) && readdirSync(folder).length > 0,
  );
  for (const capture of folders.flatMap(readCaptures)) {
    const records = (text: string) => text.match(/^(KERNEL|UDEV {2})\[/gm)?.length ?? 0;
    assert.ok(
      records(capture.attach) >= 2 && records(capture.detach) >= 2,
      `${capture.name}: records are missing`,
    );
    assert.ok(
      capture.attach.includes(`DEVPATH=${capture.devpath}\n`) &&
        capture.detach.includes(`DEVPATH=${capture.devpath}\n`),
      `${capture.name}: its records are about another device than ${capture.devpath}`,
    );
    const bytes = Buffer.from(capture.descriptors, 'base64');
    assert.deepEqual([...bytes.subarray(0, 2)], [18, 1], `${capture.name}: no device descriptor`);
    assert.match(capture.attributes.devnum ?? '', /^\d+$/, capture.name);
  }
});

test('a broken recording is refused with its file and the field [Q3]', () => {
  const refusals: readonly (readonly [string, RegExp])[] = [
    ['{', /bad\.json: /],
    ['[]', /must be object/],
    [withChange({ port: '1' }), /\/port /],
    [withChange({ surprise: 1 }), /\/surprise is not a known key/],
    [withChange({ descriptors: '%%' }), /\/descriptors /],
    [withChange({ port: '1-9' }), /does not end with its port 1-9/],
  ];
  for (const [text, expected] of refusals) {
    assert.throws(
      () => parseCapture(text, 'bad.json'),
      (error: Error & { code?: string }) =>
        error.code === 'workbench.bad-capture' && expected.test(error.message),
      text.slice(0, 60),
    );
  }
});

test('a recording cannot write outside the simulated tree [Q3]', () => {
  for (const change of [
    { devpath: '/devices/../../../1-1' },
    { attributes: { '../../passwd': 'x' } },
    { interfaces: { '../1-1:1.0': { attributes: {}, driver: null } } },
    { interfaces: { '1-1:1.0': { attributes: {}, driver: '../..' } } },
  ]) {
    assert.throws(() => parseCapture(withChange(change), 'bad.json'), { code: 'workbench.bad-capture' });
  }
});

test('a folder without recordings, or none at all, is said to be one [Q3]', async (t) => {
  const dir = await tempDir(t);
  for (const folder of [dir, `${dir}/none`]) {
    assert.throws(() => readCaptures(folder), {
      code: 'workbench.bad-capture',
      message: /holds no recording/,
    });
  }
});
