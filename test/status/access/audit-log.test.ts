import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import type { AuditEntry } from '../../../src/contracts/api-access.ts';
import { type AuditFacts, auditHash, openAuditLog } from '../../../src/status/access/audit-log.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { mountSmallDisk, noSmallDisk } from '../../support/small-disk.ts';
import { tempDir } from '../../support/temp-dir.ts';

const facts: AuditFacts = {
  ...{ who: 'ada', role: 'admin', from: '192.0.2.7', act: 'POST /x' },
  ...{ outcome: 'done', detail: 'did it' },
};

/** The number of the first entry that does not follow from the one before, or null. */
function brokenAt(entries: readonly AuditEntry[]): number | null {
  const broken = entries.find(({ hash, ...rest }, index) => {
    const before = entries[index - 1];
    return auditHash(rest) !== hash || (before !== undefined && before.hash !== rest.previous);
  });
  return broken?.n ?? null;
}

const entriesIn = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEntry);

test('entries are chained by hashes: what was changed, taken out or put in shows [S8]', async (t) => {
  const dir = await tempDir(t);
  const audit = await openAuditLog({ dir, clock: fakeClock(), log: recordingLog() });
  await Promise.all(Array.from({ length: 5 }, (_, n) => audit.add({ ...facts, detail: `act ${n}` })));
  const file = path.join(dir, 'audit.jsonl');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const entries = entriesIn(await readFile(file, 'utf8'));
  assert.deepEqual(
    entries.map(({ n, detail }) => [n, detail]),
    [0, 1, 2, 3, 4].map((n) => [n + 1, `act ${n}`]),
  );
  assert.equal(brokenAt(entries), null);
  assert.equal(brokenAt(entries.map((each) => (each.n === 3 ? { ...each, who: 'bob' } : each))), 3);
  assert.equal(brokenAt(entries.filter(({ n }) => n !== 3)), 4);
});

test('the chain goes on over restarts, rotation and a line that a power cut tore [S8]', async (t) => {
  const dir = await tempDir(t);
  const open = () => openAuditLog({ dir, clock: fakeClock(), log: recordingLog(), maxBytes: 2_000 });
  for (let n = 0; n < 20; n++) await (await open()).add(facts);
  await appendFile(path.join(dir, 'audit.jsonl'), '{"n":21,"at":"20');
  const audit = await open();
  await audit.add(facts);
  assert.ok((await readdir(dir)).length > 2);
  const pages: AuditEntry[] = [];
  for (let before: number | null = null; ; ) {
    const page = await audit.read({ before, limit: 4 });
    pages.push(...page.entries);
    before = page.next;
    if (before === null) break;
  }
  assert.deepEqual(
    pages.map(({ n }) => n),
    Array.from({ length: 21 }, (_, index) => 21 - index),
  );
  assert.equal(brokenAt(pages.toReversed()), null);
});

test('the audit is bounded, and the oldest go [S8]', async (t) => {
  const dir = await tempDir(t);
  const audit = await openAuditLog({ dir, clock: fakeClock(), log: recordingLog(), maxBytes: 1_000 });
  for (let n = 0; n < 60; n++) await audit.add({ ...facts, detail: 'x'.repeat(5_000) });
  const files = await readdir(dir);
  assert.equal(files.length, 9);
  const sizes = await Promise.all(files.map(async (name) => (await stat(path.join(dir, name))).size));
  assert.ok(
    sizes.every((size) => size < 2_000),
    String(sizes),
  );
});

test('a disk that takes nothing is told in the log, and what was asked for goes on [S8]', async (t) => {
  const file = path.join(await tempDir(t), 'file');
  await appendFile(file, 'no folder');
  const log = recordingLog();
  const audit = await openAuditLog({ dir: path.join(file, 'audit'), clock: fakeClock(), log });
  await audit.add(facts);
  assert.ok(log.lines.some(({ message }) => /audit could not be written/.test(message)));
});

const PAGE = 4_096;

for (const [what, fits] of [
  ['the half of an entry', (length: number) => length >> 1],
  ['all of an entry but its end', (length: number) => length - 1],
] as const)
  test(`where a full disk took ${what}, the next ones are read and chained as before [S8]`, {
    skip: noSmallDisk,
  }, async (t) => {
    const dir = path.join(await mountSmallDisk(t, 1), 'audit');
    const log = recordingLog();
    const failed = () => log.lines.filter(({ message }) => /audit could not be written/.test(message)).length;
    const audit = await openAuditLog({ dir, clock: fakeClock(), log });
    const file = path.join(dir, 'audit.jsonl');
    const text = () => readFile(file, 'utf8');
    for (let n = 0; n < 10; n++) await audit.add(facts);
    const length = ((await text()).trimEnd().split('\n').at(-1) ?? '').length + 1;
    // The last page of the file gets room for so much of the next entry, and the disk has no other page.
    const padding = async () => PAGE - (((await text()).length + length + fits(length)) % PAGE);
    while ((await padding()) > 400) await audit.add(facts);
    const pad = await padding();
    await audit.add({ ...facts, detail: `${facts.detail}${'x'.repeat(pad)}` });
    const filler = path.join(dir, '../filler');
    await assert.rejects(appendFile(filler, Buffer.alloc(2 ** 21)), /ENOSPC/);
    assert.equal(failed(), 0);
    await audit.add(facts);
    await audit.add(facts);
    assert.equal(failed(), 2);
    const torn = await text();
    assert.equal(torn.length % PAGE, 0);
    assert.equal(torn.slice(torn.lastIndexOf('\n') + 1).length, fits(length));

    await rm(filler);
    for (let n = 0; n < 3; n++) await audit.add({ ...facts, detail: 'afterwards' });
    assert.equal(failed(), 2);
    const { entries } = await audit.read({ before: null, limit: 50 });
    assert.equal(entries.filter(({ detail }) => detail === 'afterwards').length, 3);
    assert.equal(brokenAt(entries.toReversed()), null);
    assert.deepEqual(
      entries.map(({ n }) => n),
      entries.map((_, index) => entries.length - index),
    );
  });
