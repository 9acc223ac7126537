import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { run } from './run.ts';

async function makeHouse(t: TestContext) {
  const dir = await tempDir(t);
  const at = (name: string) => path.join(dir, name);
  for (const name of ['root', 'root2', 'publisher', 'young'])
    assert.equal((await run('key', 'new', '--out', at(name), '--no-password')).code, 0);
  const ok = async (...args: readonly string[]) => {
    const ran = await run(...args);
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`);
    return ran;
  };
  return { at, ok };
}

test('a trust document is made, signed and handed over by commands alone, and verify speaks for a device [P2]', async (t) => {
  const { at, ok } = await makeHouse(t);
  const [v1, v2] = [at('v1.json'), at('v2.json')];
  await ok('trust', 'new', v1, '--root', at('root.pub'));
  await ok('trust', 'add', v1, '--role', 'publisher', '--key', at('publisher.pub'), '--note', 'the workshop');
  assert.match((await run('trust', 'verify', v1)).err, /^trust\.signature-malformed|^trust\.too-few/);
  assert.doesNotMatch((await ok('trust', 'sign', v1, '--key', at('root.key'))).err, /no root key/);
  await ok('trust', 'verify', v1);
  assert.match(
    (await ok('trust', 'show', v1)).out,
    /publisher: 1 of 1 must sign\n.*\(the workshop\)\nsigned by [0-9A-F]{16}\n/,
  );

  const inPlace = await run('trust', 'add', v1, '--role', 'publisher', '--key', at('young.pub'));
  assert.deepEqual([inPlace.code, /say --out FILE/.test(inPlace.err)], [2, true]);
  await ok('trust', 'add', v1, '--role', 'publisher', '--key', at('young.pub'), '--out', v2);
  await ok('trust', 'revoke', v2, '--key', at('publisher.pub'), '--reason', 'stolen');
  await ok('trust', 'add', v2, '--role', 'root', '--key', at('root2.pub'));
  await ok('trust', 'remove', v2, '--role', 'root', '--key', at('root.pub'));
  await ok('trust', 'sign', v2, '--key', at('root2.key'));
  assert.match((await run('trust', 'verify', v2, '--after', v1)).err, /^trust\.unknown-key: /);
  assert.match((await ok('trust', 'sign', v2, '--key', at('root.key'))).err, /no root key of version 2: /);
  assert.match((await ok('trust', 'verify', v2, '--after', v1)).out, /version 2 counts until/);
  assert.match((await run('trust', 'verify', v1, '--after', v2)).err, /^trust\.document-version: /);
});

test('a bundle is verified by the trust document; a revoked publisher, file or expired document refuses it [P2, P3]', async (t) => {
  const { at, ok } = await makeHouse(t);
  await ok('plugin', 'init', at('demo'));
  await ok('plugin', 'build', at('demo'), '--out', at('out'));
  const bundle = at('out/demo-0.1.0.awp');
  await ok('plugin', 'sign', bundle, '--key', at('publisher.key'));
  const v1 = at('v1.json');
  await ok('trust', 'new', v1, '--root', at('root.pub'));
  await ok('trust', 'sign', v1, '--key', at('root.key'));
  const judge = async (trust: string) => {
    const { code, err } = await run('plugin', 'verify', bundle, '--trust', trust);
    return code === 0 ? 'ok' : (err.split(':')[0] ?? '');
  };
  assert.equal(await judge(v1), 'trust.role-missing');
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['ok', ['renew', at('base.json')]],
    [
      'trust.key-not-valid',
      ['add', at('base.json'), '--role', 'publisher', '--key', at('publisher.pub'), '--until', '2020-01-01'],
    ],
    ['trust.key-revoked', ['revoke', at('base.json'), '--key', at('publisher.pub'), '--reason', 'stolen']],
    ['trust.content-revoked', ['revoke', at('base.json'), '--content', bundle, '--reason', 'eats disks']],
    ['trust.unknown-key', ['remove', at('base.json'), '--role', 'publisher', '--key', at('publisher.pub')]],
  ];
  await ok('trust', 'add', v1, '--role', 'publisher', '--key', at('publisher.pub'), '--out', at('base.json'));
  for (const [index, [wanted, args]] of cases.entries()) {
    const file = at(`case-${index}.json`);
    await ok('trust', ...args, '--out', file);
    await ok('trust', 'sign', file, '--key', at('root.key'));
    assert.equal(await judge(file), wanted);
  }
});

test('what is no trust document, or names no key, is refused with a code [P2]', async (t) => {
  const { at } = await makeHouse(t);
  writeFileSync(at('x.json'), '{"document":1,"signatures":[]}');
  assert.match((await run('trust', 'show', at('x.json'))).err, /^trust\.document-malformed: .*\/document/);
  assert.match((await run('trust', 'show', at('nothing.json'))).err, /^cli\.unreadable: /);
  assert.equal((await run('trust', 'new', at('y.json'))).code, 2);
  assert.match(
    (await run('trust', 'new', at('y.json'), '--root', at('root.key'))).err,
    /^trust\.key-malformed: /,
  );
  assert.equal((await run('trust', 'renounce')).code, 2);
});
