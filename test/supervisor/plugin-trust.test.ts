import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { putTrustInForce } from '../../src/operate/trust-in-force.ts';
import { openPluginTrust } from '../../src/supervisor/plugin-trust.ts';
import { readTrustFile, trustFileText } from '../../src/trust/read-trust-file.ts';
import { trustText } from '../plugins/test-plugins.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Nobody has signed it; its roles are these. */
async function withRoles(roles: Readonly<Record<string, unknown>>): Promise<string> {
  const good = readTrustFile(await trustText());
  assert.ok(good.ok);
  const document = { ...good.file.document, roles: { ...good.file.document.roles, ...roles } };
  return trustFileText(`${JSON.stringify(document, null, 2)}\n`, []);
}

test('a role that has no proper name or is none is a malformed document [P2]', async () => {
  for (const roles of [{ X: null }, { 'a b': { threshold: 1, keys: [] } }, { '': {} }, { publisher: null }]) {
    const verdict = readTrustFile(await withRoles(roles));
    assert.equal(verdict.ok ? 'read' : verdict.code, 'trust.document-malformed', JSON.stringify(roles));
  }
});

test('what is wrong with one trust document, or with taking it, does not stop the next one [P2]', async (t) => {
  const dir = await tempDir(t);
  let taken = 0;
  const { control } = openPluginTrust(dir, async () => {
    taken += 1;
    if (taken === 1) throw new TypeError('planted');
  });
  const codeOf = async (text: string) => {
    const answer = await control.take(text, { first: true });
    return answer.ok ? 'taken' : answer.code;
  };
  const good = await trustText();
  assert.equal(await codeOf(await withRoles({ X: null })), 'trust.document-malformed');
  await assert.rejects(codeOf(good), /planted/);
  await rm(path.join(dir, 'trust'), { recursive: true });
  assert.equal(await codeOf(good), 'taken');
  assert.equal(taken, 2);
});

test('a trust folder that cannot be made is told as what it is, and the next document is taken [P2]', async (t) => {
  const dir = await tempDir(t);
  const good = await trustText();
  const place = path.join(dir, 'trust');
  const isUnwritable = { code: 'operate.write-failed', message: /^cannot write .*trust\.json: .*EEXIST/ };
  await writeFile(place, 'a file where the folder should be');
  await assert.rejects(putTrustInForce(dir, good), isUnwritable);
  await rm(place);
  assert.equal(await putTrustInForce(dir, good), path.join(place, 'trust.json'));
});
