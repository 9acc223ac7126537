// Signed tars with the tricks that tars are known for. Each is made from a good header, so that the trick is all that is wrong.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { toGzip } from '../../src/bundle/gzip-frame.ts';
import { readTar, toTar } from '../../src/bundle/tar.ts';
import { blockBytes, tarHeader } from '../../src/bundle/tar-header.ts';
import { tempDir } from '../support/temp-dir.ts';
import { judge } from './test-bundle.ts';

interface Trick {
  readonly code: string;
  readonly at?: number;
  readonly write?: string | Buffer;
  readonly name?: string;
  readonly size?: number;
}

/** One member of one byte whose header was changed, its checksum made good again. */
function tar({ at = 0, write = '', name = 'file', size = 1 }: Trick): Buffer {
  const header = Buffer.from(tarHeader(name, size));
  header.set(Buffer.from(write), at);
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const data = Buffer.alloc(blockBytes);
  data[0] = 120;
  return Buffer.concat([header, data, Buffer.alloc(2 * blockBytes)]);
}

const tricks: Readonly<Record<string, Trick>> = {
  'a hard link': { code: 'bundle.tar-link', at: 156, write: '1' },
  'a symbolic link': { code: 'bundle.tar-link', at: 156, write: '2' },
  'a character device': { code: 'bundle.tar-device', at: 156, write: '3' },
  'a block device': { code: 'bundle.tar-device', at: 156, write: '4' },
  'a folder': { code: 'bundle.tar-type', at: 156, write: '5' },
  'a pipe': { code: 'bundle.tar-device', at: 156, write: '6' },
  'a contiguous file': { code: 'bundle.tar-type', at: 156, write: '7' },
  'an old file': { code: 'bundle.tar-type', at: 156, write: '\0' },
  'PAX attributes': { code: 'bundle.tar-extension', at: 156, write: 'x' },
  'global PAX attributes': { code: 'bundle.tar-extension', at: 156, write: 'g' },
  'a long name': { code: 'bundle.tar-extension', at: 156, write: 'L' },
  'a long link': { code: 'bundle.tar-extension', at: 156, write: 'K' },
  'a sparse file': { code: 'bundle.tar-extension', at: 156, write: 'S' },
  'a volume label': { code: 'bundle.tar-extension', at: 156, write: 'V' },
  'an unknown kind': { code: 'bundle.tar-type', at: 156, write: '?' },
  'an absolute path': { code: 'bundle.tar-path', name: '/etc/passwd' },
  'a path upwards': { code: 'bundle.tar-path', name: 'a/../../b' },
  'a path upwards alone': { code: 'bundle.tar-path', name: '..' },
  'a path with a dot': { code: 'bundle.tar-path', name: './a' },
  'a hidden file': { code: 'bundle.tar-path', name: 'a/.npmrc' },
  'no path': { code: 'bundle.tar-path', name: '' },
  'a path that ends in a slash': { code: 'bundle.tar-path', name: 'a/' },
  'a path with an empty part': { code: 'bundle.tar-path', name: 'a//b' },
  'a backslash': { code: 'bundle.tar-path', name: 'a\\b' },
  'a drive': { code: 'bundle.tar-path', name: 'c:b' },
  'a letter beyond ASCII': { code: 'bundle.tar-path', name: 'caf\u00e9' },
  'an escape sequence': { code: 'bundle.tar-path', name: 'a\u001b[2J' },
  'a path nine folders deep': { code: 'bundle.tar-path', name: 'a/b/c/d/e/f/g/h/i' },
  'bytes after the end of the path': { code: 'bundle.tar-metadata', at: 20, write: 'hidden' },
  'a prefix before the path': { code: 'bundle.tar-metadata', at: 345, write: '../..' },
  'a set-user-id bit': { code: 'bundle.tar-metadata', at: 100, write: '0004755' },
  'an owner': { code: 'bundle.tar-metadata', at: 108, write: '0001750' },
  'a group': { code: 'bundle.tar-metadata', at: 116, write: '0001750' },
  'a time': { code: 'bundle.tar-metadata', at: 136, write: '00000000001' },
  'a link name': { code: 'bundle.tar-metadata', at: 157, write: '/etc/passwd' },
  "GNU's mark": { code: 'bundle.tar-metadata', at: 257, write: 'ustar  \0' },
  'an owner by name': { code: 'bundle.tar-metadata', at: 265, write: 'root' },
  'bytes in the unused rest': { code: 'bundle.tar-metadata', at: 505, write: 'x' },
  'a size in base 256': {
    code: 'bundle.tar-malformed',
    at: 124,
    write: Buffer.from('800000000000000000000001', 'hex'),
  },
  'a negative size': { code: 'bundle.tar-malformed', at: 124, write: '-0000000001' },
  'a size with a space': { code: 'bundle.tar-malformed', at: 124, write: '0000000001 ' },
  'a size of 8 GiB': { code: 'bundle.member-size', size: 8_589_934_591 },
  'a size beyond the end': { code: 'bundle.tar-malformed', size: 2_000 },
};

test('every trick of a signed tar is refused with its own code [P3]', async () => {
  for (const [what, trick] of Object.entries(tricks)) {
    const verdict = await judge(toGzip(tar(trick)));
    assert.equal(verdict.ok ? 'accepted' : verdict.code, trick.code, what);
  }
});

test('the good header that the tricks start from is a good one [P3]', () => {
  const read = readTar(tar({ code: '' }));
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(
    read.members.map((member) => [member.path, Buffer.from(member.bytes).toString()]),
    [['file', 'x']],
  );
});

test('a wrong checksum, a missing end, an early end and bytes after the end are refused [P3]', async () => {
  const good = toTar([{ path: 'file', bytes: Buffer.from('x') }]);
  const badSum = Buffer.from(good);
  badSum[150] = 0x37;
  const inPadding = Buffer.from(good);
  inPadding[blockBytes + 300] = 1;
  const cases: readonly (readonly [string, Buffer])[] = [
    ['bundle.tar-metadata', badSum],
    ['bundle.tar-malformed', inPadding],
    ['bundle.tar-malformed', Buffer.alloc(0)],
    ['bundle.tar-malformed', good.subarray(0, -2 * blockBytes)],
    ['bundle.trailing-data', good.subarray(0, -blockBytes)],
    ['bundle.trailing-data', Buffer.concat([good, Buffer.alloc(blockBytes)])],
    ['bundle.trailing-data', Buffer.concat([good, good])],
    ['bundle.tar-malformed', good.subarray(0, 700)],
  ];
  for (const [code, bytes] of cases) {
    const verdict = await judge(toGzip(bytes));
    assert.equal(verdict.ok ? 'accepted' : verdict.code, code);
  }
});

test('names that are one file, or a file and a folder, on some file system are refused [P3]', async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['bundle.duplicate-member', ['a', 'a']],
    ['bundle.case-collision', ['readme', 'README']],
    ['bundle.case-collision', ['Dir/a', 'dir/b']],
    ['bundle.path-conflict', ['a', 'a/b']],
    ['bundle.path-conflict', ['a/b', 'a']],
  ];
  for (const [code, names] of cases) {
    const members = names.map((name) => ({ path: name, bytes: Buffer.alloc(0) }));
    const verdict = await judge(toGzip(toTar(members)));
    assert.equal(verdict.ok ? 'accepted' : verdict.code, code, names.join(' '));
  }
});

test('what real tar programs write is refused in every format [P3]', async (t) => {
  const dir = await tempDir(t);
  mkdirSync(path.join(dir, 'in'));
  writeFileSync(path.join(dir, 'in/manifest.json'), '{}');
  symlinkSync('/etc/passwd', path.join(dir, 'in/link'));
  for (const format of ['v7', 'oldgnu', 'gnu', 'ustar', 'posix'])
    for (const name of ['manifest.json', 'link']) {
      execFileSync('tar', [`--format=${format}`, '-cf', 'x.tar', '-C', 'in', name], { cwd: dir });
      const verdict = await judge(toGzip(readFileSync(path.join(dir, 'x.tar'))));
      assert.match(verdict.ok ? 'accepted' : verdict.code, /^bundle\.tar-/, `${format} ${name}`);
    }
});
