// The image builder's signing step and `flash --pub`, end to end: what one writes the other checks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { debianBase } from '../../image/base/debian.ts';
import type { Build } from '../../image/build.ts';
import { missingTools } from '../../image/missing-tools.ts';
import { type SignOptions, sign } from '../../image/steps/98-sign.ts';
import { createFlashCommand } from '../../src/cli/flash-command.ts';
import { publicKeyFile, publicKeyLine } from '../../src/trust/public-key.ts';
import { secretKeyFile } from '../../src/trust/secret-key.ts';
import { testKey } from '../trust/test-keys.ts';
import { runCommand } from './run-command.ts';
import { flipByte, imageBytes, testImage } from './test-image.ts';
import { testSystem } from './test-system.ts';

const untouched = 0xa5;

test('an image whose sums the key signed is written; every other one is refused before the first byte [I7, P1]', async (t) => {
  const { file, key, flash, disk, dir } = await signedImage(t);
  const good = [path.join(dir, 'maker.pub'), publicKeyLine(key.public)];
  for (const pub of good) {
    const ran = await flash(pub);
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.err, /SHA-256 as in .*SHA256SUMS\nSigned by [0-9A-F]{16}\n/);
    assert.ok((await readFile(disk)).equals(testImage()));
    await writeFile(disk, Buffer.alloc(imageBytes, untouched));
  }
  const other = publicKeyLine((await testKey('somebody else')).public);
  const sums = path.join(dir, 'SHA256SUMS');
  const [text, signature] = [await readFile(sums), await readFile(`${sums}.minisig`)];
  const cases: readonly (readonly [RegExp, string, () => Promise<unknown>])[] = [
    [/flash\.signature-wrong: .*trust\.unknown-key/, other, async () => undefined],
    [/flash\.key-unreadable/, path.join(dir, 'nobody.pub'), async () => undefined],
    [/flash\.key-unreadable/, 'RWnonsense', async () => undefined],
    [/flash\.checksum-wrong/, good[0] ?? '', async () => flipByte(file, 5_000_000)],
    [
      /flash\.signature-wrong: .*trust\.bad-signature/,
      good[0] ?? '',
      async () => {
        await flipByte(file, 5_000_000);
        await writeFile(sums, sumOf(await readFile(file)));
      },
    ],
    [/flash\.signature-wrong/, good[0] ?? '', () => writeFile(`${sums}.minisig`, 'nothing')],
    [/flash\.signature-missing/, good[0] ?? '', () => rm(`${sums}.minisig`)],
    [/flash\.signature-missing/, good[0] ?? '', () => rm(sums)],
  ];
  for (const [words, pub, change] of cases) {
    await Promise.all([
      writeFile(file, testImage()),
      writeFile(sums, text),
      writeFile(`${sums}.minisig`, signature),
    ]);
    await change();
    const ran = await flash(pub);
    assert.equal(ran.code, 1, String(words));
    assert.match(ran.err, words);
    assert.ok((await readFile(disk)).every((byte) => byte === untouched));
  }
});

test('signed sums that do not name the file do not count for it [I7]', async (t) => {
  const { file, key, flash, dir } = await signedImage(t);
  const renamed = path.join(dir, 'renamed.img');
  await writeFile(renamed, await readFile(file));
  const ran = await flash(publicKeyLine(key.public), renamed);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /flash\.signature-missing: .*does not name renamed\.img/);
});

test('the builder signs the same bytes each time, with a locked key too, and says what it lacks [I1, P1]', async (t) => {
  const { dir, key, build } = await signedImage(t);
  const signature = path.join(dir, 'SHA256SUMS.minisig');
  const before = await readFile(signature);
  const lock = {
    password: 'hush',
    salt: Buffer.alloc(32, 3),
    limits: { opsLimit: 32_768, memLimitBytes: 1_048_576 },
  };
  const keyFile = path.join(dir, 'locked.key');
  const passwordFile = path.join(dir, 'password');
  await writeFile(keyFile, await secretKeyFile(key, lock));
  await writeFile(passwordFile, 'hush\n');
  await signWith(build, { keyFile, passwordFile });
  assert.deepEqual(await readFile(signature), before);
  await assert.rejects(signWith(build, { keyFile }), {
    code: 'image.key-unusable',
    message: /--sign-password-file/,
  });
  await assert.rejects(signWith(build, { keyFile: 'nowhere' }), { code: 'image.input-missing' });
});

const noMinisign = missingTools(['minisign']).length > 0 && 'minisign is not installed';
test('the stock minisign verifies the sums of an image [P1]', { skip: noMinisign }, async (t) => {
  const { dir } = await signedImage(t);
  const shown = execFileSync('minisign', ['-Vm', 'SHA256SUMS', '-p', 'maker.pub'], { cwd: dir }).toString();
  assert.match(shown, /Signature and comment signature verified/);
});

async function signedImage(t: TestContext) {
  const system = await testSystem(t, { disks: [{ name: 'sda', sizeBytes: imageBytes, fill: untouched }] });
  const { dir } = system;
  const key = await testKey('image maker');
  const file = path.join(dir, 'edge.img');
  await writeFile(file, testImage());
  await writeFile(path.join(dir, 'SHA256SUMS'), sumOf(testImage()));
  await writeFile(path.join(dir, 'maker.key'), await secretKeyFile(key, null));
  await writeFile(path.join(dir, 'maker.pub'), publicKeyFile(key.public));
  const build = buildIn(dir);
  await signWith(build, { keyFile: path.join(dir, 'maker.key') });
  const disk = system.disk('sda');
  const flash = (pub: string, image = file) =>
    runCommand(createFlashCommand(system.roots), [image, disk, '--yes', '--pub', pub]);
  return { dir, file, key, disk, flash, build };
}

function signWith(build: Build, options: SignOptions): Promise<void> {
  return sign(options).run(build);
}

function sumOf(image: Buffer): string {
  return `${createHash('sha256').update(image).digest('hex')}  edge.img\n`;
}

function buildIn(dir: string): Build {
  return {
    repository: dir,
    base: debianBase(),
    cache: dir,
    out: dir,
    release: dir,
    runtime: 'none',
    node: 'none',
    addon: undefined,
    layers: [],
    compression: 'fast',
    format: 'disk',
    version: '0.0.0',
    epochSeconds: 1_767_225_600,
    report: () => undefined,
  };
}
