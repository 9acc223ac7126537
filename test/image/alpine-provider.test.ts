// The base `alpine` against mirrors that are right, wrong and gone. Small packages, real formats, real signatures, real apko.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { alpineBase } from '../../image/base/alpine.ts';
import { trustedKeys } from '../../image/base/alpine-keys.ts';
import type { AlpineLock } from '../../image/base/alpine-lock.ts';
import { alpineMirror } from '../../image/base/alpine-mirror.ts';
import { whyNoApko } from '../../image/base/apko.ts';
import { changeInside, type SmallRepository, smallRepository } from '../support/alpine/small-repository.ts';
import { makeSigningKey } from '../support/alpine/write-repository.ts';
import { tempDir } from '../support/temp-dir.ts';

const skip = whyNoApko() ?? false;

test('a locked set of packages arrives whole, with the hashes of the lock file [I1]', { skip }, async (t) => {
  const { fetch, archives, lock } = await locked(t);
  const packages = await fetch();
  assert.deepEqual((await readdir(archives)).sort(), packages.map(({ file }) => file).sort());
  assert.ok(
    packages.some(({ name, part }) => name === 'musl' && part === 'base'),
    'what others depend on comes too',
  );
  assert.deepEqual(
    packages.filter(({ part }) => part !== 'base').map(({ name }) => name),
    ['linux-lts', 'systemd-boot', 'systemd-efistub'],
  );
  assert.deepEqual(
    (await lock()).packages.map(({ name, sha256 }) => [name, sha256]),
    packages.map(({ name, sha256 }) => [name, sha256]),
  );
});

test('an index that was changed after it was signed is refused [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  await changeInside(repository.file('APKINDEX.tar.gz'), 'T:redis', 'T:rebis');
  await refuses('image.index-damaged', /was changed after it was signed; choose another mirror/);
});

test('an index without a signature is refused [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  const bytes = await readFile(repository.file('APKINDEX.tar.gz'));
  await writeFile(
    repository.file('APKINDEX.tar.gz'),
    bytes.subarray(bytes.lastIndexOf(Buffer.from([0x1f, 0x8b, 0x08]))),
  );
  await refuses('image.index-damaged', /not signed/);
});

test('an index signed by a key that is not trusted is refused [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  await repository.signIndex(makeSigningKey('somebody-else.rsa.pub'));
  await refuses('image.key-unknown', /signed by a key that is not trusted/);
});

test('a key of the trusted name with other bytes does not pass [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  await repository.signIndex(makeSigningKey(repository.key.name));
  await refuses('image.index-damaged', /was changed after it was signed/);
});

test('a package whose files were changed is refused [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  await changeInside(repository.file('redis-1.0-r0.apk'), 'redis\n', 'rebis\n');
  await refuses('image.package-damaged', /redis-1\.0-r0\.apk: its files have the SHA-256/);
});

test('a package that was made anew by a holder of the key is refused while the index means another one [I1]', {
  skip,
}, async (t) => {
  const { repository, refuses } = await locked(t);
  await repository.replace('redis', 'other files', 'index-stays');
  await refuses('image.package-damaged', /its control data is not the one of the signed index/);
});

test('other bytes for a locked version are refused, signed or not [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  await repository.replace('redis', 'other files', 'index-follows');
  await refuses(
    'image.package-changed',
    /redis-1\.0-r0\.apk with lock\.json: its SHA-256 is [0-9a-f]{64}, locked is/,
  );
});

test('a package that the index does not have is named [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  await repository.forget('openrc');
  await refuses('image.package-missing', /openrc: this release has no such package or version/);
});

test('a package that the index has and the mirror has not is named [I1]', { skip }, async (t) => {
  const { repository, refuses } = await locked(t);
  await rm(repository.file('openrc-1.0-r0.apk'));
  await refuses('image.package-missing', /openrc-1\.0-r0\.apk .* does not have it any more/);
});

test('a mirror that cannot be reached is one error that says what to set [I1]', { skip }, async (t) => {
  const { fetch, refuses, repository } = await locked(t);
  const gone = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => gone.once('listening', resolve));
  const address = gone.address();
  assert.ok(typeof address === 'object' && address !== null);
  await new Promise((resolve) => gone.close(resolve));
  for (const mirror of [`http://127.0.0.1:${address.port}/alpine`, 'file:///nowhere', 'ftp://example.org'])
    await assert.rejects(fetch({ mirror }), { code: 'image.packages-unreachable', message: /set --mirror/ });
  await rm(repository.mirror, { recursive: true });
  await refuses('image.packages-unreachable', /ENOENT/);
});

test('over http the same packages arrive, and keys that the mirror hands out beside them are not trusted [I1]', {
  skip,
}, async (t) => {
  const { repository, fetch } = await locked(t);
  const stranger = makeSigningKey('stranger.rsa.pub');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const file = path.join(repository.mirror, (request.url ?? '').replace(/^\/alpine\//, ''));
    // The way in which repositories of another vendor hand out keys; apko would follow it.
    if (request.url?.endsWith('/apk-configuration'))
      response.end(`{"jwks_uri":"http://${request.headers.host}/jwks"}`);
    else if (existsSync(file)) createReadStream(file).pipe(response);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const mirror = `http://127.0.0.1:${address.port}/alpine`;
  assert.ok((await fetch({ mirror })).length > 10);
  await repository.signIndex(stranger);
  await assert.rejects(fetch({ mirror }), { code: 'image.key-unknown' });
  assert.deepEqual(
    asked.filter((url) => !/\.(apk|gz)$/.test(url)),
    [],
  );
});

test('without a lock file nothing is built, and the message says how to make one [I1]', {
  skip,
}, async (t) => {
  const { refuses, lockFile } = await locked(t);
  await rm(lockFile);
  await refuses('image.lock-missing', /npm run image -- lock --base alpine/);
});

test('a lock file for other package lists is refused [I1]', { skip }, async (t) => {
  const { refuses, lock, lockFile } = await locked(t);
  const made = await lock();
  await writeFile(lockFile, JSON.stringify({ ...made, lists: { ...made.lists, base: ['busybox'] } }));
  await refuses('image.lock-outdated', /other package lists/);
});

test('a pinned key is taken from the mirror itself when its hash is the pinned one, and no other is [I1]', {
  skip,
}, async (t) => {
  const { repository } = await locked(t);
  const dir = await tempDir(t);
  const mirror = alpineMirror(repository.url, path.join(dir, 'mirror'));
  const sha256 = createHash('sha256').update(repository.key.publicPem).digest('hex');
  const keysWith = (pins: Readonly<Record<string, string>>) =>
    trustedKeys({ pins, mirror, repository: 'v3.23/main/x86_64' }, path.join(dir, 'keys'));
  assert.deepEqual(
    (await keysWith({ [repository.key.name]: sha256 })).map(({ name, pem }) => [name, pem]),
    [[repository.key.name, repository.key.publicPem]],
  );
  const other = '0'.repeat(64);
  for (const pins of [{ [repository.key.name]: other }, { 'another.rsa.pub': sha256 }])
    await assert.rejects(keysWith(pins), { code: 'image.key-unknown', message: /--keys/ });
});

test("a mirror that is not signed by Alpine's pinned keys is refused when no keys are named [I1]", {
  skip,
}, async (t) => {
  const { fetch } = await locked(t);
  await assert.rejects(fetch({ keys: undefined }), { code: 'image.key-unknown' });
});

interface Case {
  readonly repository: SmallRepository;
  readonly lockFile: string;
  readonly archives: string;
  lock(): Promise<AlpineLock>;
  fetch(changed?: {
    readonly mirror?: string;
    readonly keys?: string | undefined;
  }): ReturnType<ReturnType<typeof alpineBase>['fetch']>;
  /** The fetch ends with this code, and has left nothing behind. */
  refuses(code: string, message: RegExp): Promise<void>;
}

/** A mirror and the lock file that was made from it when it was right. */
async function locked(t: TestContext): Promise<Case> {
  const dir = await tempDir(t);
  const repository = await smallRepository(dir);
  const lockFile = path.join(dir, 'lock.json');
  const options = {
    architecture: 'x64',
    mirror: repository.url,
    keys: repository.keys,
    lock: lockFile,
  } as const;
  const before = path.join(dir, 'before');
  await mkdir(before);
  await alpineBase({ ...options, locking: 'refresh' }).fetch({
    archives: path.join(before, 'archives'),
    work: before,
  });
  const work = path.join(dir, 'work');
  const archives = path.join(work, 'archives');
  const fetch: Case['fetch'] = (changed = {}) =>
    alpineBase({ ...options, ...changed }).fetch({ archives, work });
  return {
    repository,
    lockFile,
    archives,
    lock: async () => JSON.parse(await readFile(lockFile, 'utf8')) as AlpineLock,
    fetch,
    async refuses(code, message) {
      await assert.rejects(fetch(), { code, message });
      assert.equal(existsSync(archives), false, 'something half built was left');
    },
  };
}
