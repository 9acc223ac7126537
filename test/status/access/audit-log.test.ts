import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import type { AuditEntry } from '../../../src/contracts/api-access.ts';
import { type AuditFacts, auditHash, openAuditLog } from '../../../src/status/access/audit-log.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordingLog } from '../../support/recording-log.ts';
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
