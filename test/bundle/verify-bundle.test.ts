import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { bundleLimits } from '../../src/bundle/bundle-limits.ts';
import { describeMember } from '../../src/bundle/check-members.ts';
import { toGzip } from '../../src/bundle/gzip-frame.ts';
import { packBundle } from '../../src/bundle/pack-bundle.ts';
import { manifestText } from '../../src/bundle/read-manifest.ts';
import { sbomText } from '../../src/bundle/sbom.ts';
import { toTar } from '../../src/bundle/tar.ts';
import type { BundleVerdict } from '../../src/bundle/verify-bundle.ts';
import { tempDir } from '../support/temp-dir.ts';
import { goodMembers, judge, judgeMembers, membersWith, packed, source } from './test-bundle.ts';

function refusal(verdict: BundleVerdict): string {
  return verdict.ok ? 'accepted' : `${verdict.code} ${verdict.field}`;
}

test('a bundle that was packed and signed opens, with every member as it was [P1, P3]', async () => {
  const { bytes, manifest, fileName } = packed();
  assert.equal(fileName, 'demo-1.2.3.awp');
  const verdict = await judge(bytes);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  assert.deepEqual(verdict.bundle.manifest, manifest);
  assert.equal(verdict.bundle.sha256, createHash('sha256').update(bytes).digest('hex'));
  for (const [name, content] of goodMembers())
    assert.deepEqual(Buffer.from(verdict.bundle.members.get(name) ?? []), Buffer.from(content));
});

test('the same members in any order, and the same manifest with its keys in any order, give the same bytes [P1]', () => {
  const other = packBundle(
    Object.fromEntries(Object.entries(source).reverse()) as typeof source,
    new Map([...goodMembers()].reverse()),
  );
  assert.ok(other.ok);
  assert.deepEqual(other.bytes, packed().bytes);
});

test('any tar program reads a bundle [P1]', async (t) => {
  const dir = await tempDir(t);
  writeFileSync(path.join(dir, 'x.awp'), packed().bytes);
  execFileSync('tar', ['xzf', 'x.awp'], { cwd: dir });
  for (const [name, content] of goodMembers())
    assert.deepEqual(readFileSync(path.join(dir, name)), Buffer.from(content));
});

test('nothing is unpacked before its signature held: a bomb without one is a bad signature [P3]', async () => {
  const bomb = toGzip(Buffer.alloc(bundleLimits.unpackedBytes + 1));
  assert.equal(refusal(await judge(bomb, packed().bytes)), 'trust.bad-signature ');
  assert.equal(refusal(await judge(bomb)), 'bundle.unpacked-too-large ');
  const huge = Buffer.alloc(bundleLimits.fileBytes + 1);
  assert.equal(refusal(await judge(huge)), 'bundle.too-large ');
});

test('a signed file that is not exactly one gzip member is refused [P3]', async () => {
  const { bytes } = packed();
  const withTime = Buffer.from(bytes);
  withTime[4] = 1;
  const badSum = Buffer.from(bytes);
  badSum[bytes.length - 8] = (badSum[bytes.length - 8] ?? 0) ^ 1;
  const cases: readonly (readonly [string, Buffer])[] = [
    ['bundle.not-gzip ', Buffer.alloc(0)],
    ['bundle.not-gzip ', Buffer.from('PK\x03\x04 is another format')],
    ['bundle.not-gzip ', withTime],
    ['bundle.gzip-damaged ', badSum],
    ['bundle.gzip-damaged ', bytes.subarray(0, -20)],
    ['bundle.trailing-data ', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['bundle.trailing-data ', Buffer.concat([bytes, bytes])],
    [
      'bundle.trailing-data ',
      Buffer.concat([bytes.subarray(0, -8), Buffer.from('hidden'), bytes.subarray(-8)]),
    ],
  ];
  for (const [wanted, file] of cases) assert.equal(refusal(await judge(file)), wanted);
});

test('members that are not those of the signed list are refused by name [P3]', async () => {
  const { manifest } = packed();
  const rest = [...goodMembers()].map(([name, bytes]) => ({ path: name, bytes }));
  const without = (name: string) => rest.filter((member) => member.path !== name);
  const code = Buffer.from('export default { onEvent() {;} };\n');
  const cases: readonly (readonly [string, ReturnType<typeof membersWith>])[] = [
    ['bundle.manifest-missing manifest.json', membersWith(manifest).slice(1)],
    ['bundle.manifest-missing manifest.json', []],
    ['bundle.member-missing assets/table.csv', membersWith(manifest, without('assets/table.csv'))],
    ['bundle.member-missing sbom.spdx.json', membersWith(manifest, without('sbom.spdx.json'))],
    ['bundle.member-unexpected a', membersWith(manifest, [...rest, { path: 'a', bytes: Buffer.alloc(1) }])],
    ['bundle.member-unexpected z', membersWith(manifest, [...rest, { path: 'z', bytes: Buffer.alloc(1) }])],
    [
      'bundle.member-size plugin.mjs',
      membersWith(manifest, [...without('plugin.mjs'), { path: 'plugin.mjs', bytes: code }]),
    ],
    [
      'bundle.member-hash plugin.mjs',
      membersWith(manifest, [...without('plugin.mjs'), { path: 'plugin.mjs', bytes: code.subarray(1) }]),
    ],
  ];
  for (const [wanted, members] of cases) assert.equal(refusal(await judgeMembers(members)), wanted);
});

test('a manifest that is no JSON, breaks the schema or can be read two ways is refused with its field [P3]', async () => {
  const { manifest } = packed();
  const text = manifestText(manifest);
  const deep = `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const cases: readonly (readonly [string, string])[] = [
    ['bundle.manifest-malformed manifest.json', '{'],
    ['bundle.manifest-malformed manifest.json', JSON.stringify(manifest)],
    [
      'bundle.manifest-malformed manifest.json',
      text.replace('"name": "demo"', '"name": "evil",\n  "name": "demo"'),
    ],
    ['bundle.manifest-malformed manifest.json', `${text}${' '.repeat(bundleLimits.manifestBytes)}`],
    ['bundle.manifest-malformed manifest.json', text.replace('"name"', `"configSchema": ${deep},\n  "name"`)],
    ['bundle.manifest-invalid /version', text.replace('1.2.3', '1.2')],
    ['bundle.manifest-invalid /name', text.replace('"demo"', '"../demo"')],
    ['bundle.manifest-invalid /network', text.replace('"name"', '"network": true,\n  "name"')],
    ['bundle.manifest-invalid /level', text.replace('  "level": "high",\n', '')],
    ['bundle.manifest-invalid /permissions/kv/maxBytes', text.replace('1024', '999999999')],
    ['bundle.manifest-invalid /__proto__', text.replace('"name"', '"__proto__": {},\n  "name"')],
  ];
  const rest = membersWith(manifest).slice(1);
  for (const [wanted, manifestJson] of cases) {
    const members = [{ path: 'manifest.json', bytes: Buffer.from(manifestJson) }, ...rest];
    assert.equal(refusal(await judgeMembers(members)), wanted);
  }
});

test('what the scan knows is refused: machine code, known malware, no entry, a schema that is none [P3]', async () => {
  const members = (name: string, bytes: Uint8Array) => new Map([...goodMembers(), [name, bytes]]);
  const harm = ['*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$', '8d41f0b7-ELPMAS-TSET-ERAWLAM-EVAEWOTUA'];
  const cases: readonly (readonly [string, ReturnType<typeof packBundle>])[] = [
    ['bundle.native-code assets/x', packBundle(source, members('assets/x', readFileSync('/bin/true')))],
    ['bundle.native-code assets/x.node', packBundle(source, members('assets/x.node', Buffer.from('text')))],
    ['bundle.native-code assets/x.so.1', packBundle(source, members('assets/x.so.1', Buffer.from('text')))],
    ...harm.map((backwards) => {
      const text = `// ${[...backwards].reverse().join('')}\n`;
      return [
        'bundle.malware plugin.mjs',
        packBundle(source, members('plugin.mjs', Buffer.from(text))),
      ] as const;
    }),
    ['bundle.entry-missing /entry', packBundle({ ...source, entry: 'other.mjs' }, goodMembers())],
    ['bundle.entry-invalid /entry', packBundle({ ...source, entry: 'assets/table.csv' }, goodMembers())],
    ['bundle.entry-invalid plugin.mjs', packBundle(source, members('plugin.mjs', Buffer.alloc(0)))],
    ['bundle.entry-invalid plugin.mjs', packBundle(source, members('plugin.mjs', Buffer.from('ff', 'hex')))],
    [
      'bundle.config-schema-invalid /configSchema',
      packBundle({ ...source, configSchema: { type: 'objekt' } }, goodMembers()),
    ],
    ['bundle.sbom-invalid sbom.spdx.json/name', packBundle({ ...source, version: '1.2.4' }, goodMembers())],
    ['bundle.sbom-invalid sbom.spdx.json', packBundle(source, members('sbom.spdx.json', Buffer.from('{')))],
    [
      'bundle.sbom-missing sbom.spdx.json',
      packBundle(source, new Map([...goodMembers()].filter(([name]) => name !== 'sbom.spdx.json'))),
    ],
  ];
  for (const [wanted, verdict] of cases) {
    assert.equal(verdict.ok ? 'packed' : `${verdict.code} ${verdict.field}`, wanted);
  }
});

test('whoever packs by other means is refused just as packBundle would: the scan runs when it is opened [P3]', async () => {
  const evil = { path: 'assets/x', bytes: readFileSync('/bin/true') };
  const rest = [...[...goodMembers()].map(([name, bytes]) => ({ path: name, bytes })), evil];
  const sorted = rest.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const manifest = { ...packed().manifest, members: sorted.map(describeMember) };
  assert.equal(refusal(await judgeMembers(membersWith(manifest, sorted))), 'bundle.native-code assets/x');
});

test('a bundle of as many members as may be opens; one more is refused before its bytes are looked at [P3]', async () => {
  const many = (count: number) =>
    new Map([
      ...goodMembers(),
      ...Array.from({ length: count - 3 }, (_, index) => [`a/${index}`, Buffer.alloc(1)] as const),
    ]);
  const most = packBundle(source, many(bundleLimits.members));
  assert.ok(most.ok, JSON.stringify(most));
  const verdict = await judge(most.bytes);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  const rest = [...many(bundleLimits.members + 1)].map(([name, bytes]) => ({ path: name, bytes }));
  const tooMany = membersWith(most.manifest, rest);
  assert.match(refusal(await judge(toGzip(toTar(tooMany)))), /^bundle\.too-many-members /);
});

test('the bill of materials names the packages and knows no time [P1]', () => {
  const text = sbomText(source, [{ name: '@x/y', version: '1.0.0', license: 'MIT' }]);
  assert.match(text, /pkg:npm\/%40x\/y@1\.0\.0/);
  assert.equal(text, sbomText(source, [{ name: '@x/y', version: '1.0.0', license: 'MIT' }]));
});
