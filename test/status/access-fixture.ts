// A status server whose users and audit are real files, and its claim code as the console would show it.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { StatusConfig } from '../../src/contracts/config/status-config.ts';
import { textOrNull } from '../../src/operate/import-provision.ts';
import { replaceFile } from '../../src/operate/replace-file.ts';
import type { StatusOptions } from '../../src/status/status-options.ts';
import { tempDir } from '../support/temp-dir.ts';
import { apiClient } from './api-client.ts';
import { startFixture } from './status-fixture.ts';

export async function accessFixture(
  t: Pick<TestContext, 'after'>,
  changes: Partial<StatusOptions> & {
    readonly status?: Partial<StatusConfig>;
    readonly dir?: string;
    readonly usersText?: string;
  } = {},
) {
  const { dir: given, usersText, status = {}, ...options } = changes;
  const dir = given ?? (await tempDir(t));
  const usersFile = path.join(dir, 'users.json');
  if (usersText !== undefined) await writeFile(usersFile, usersText);
  const shown: (string | null)[] = [];
  const fixture = await startFixture(t, {
    users: {
      read: () => textOrNull(usersFile),
      write: (text) => replaceFile(usersFile, text, { mode: 0o600 }),
    },
    auditDir: path.join(dir, 'audit'),
    onClaimCode: (code) => void shown.push(code),
    status: { public: 'state', ...status },
    ...options,
  });
  return {
    ...fixture,
    dir,
    usersFile,
    shown,
    claimCode: () => shown.at(-1) ?? '',
    client: () => apiClient(fixture.server.port),
    auditText: () => readFile(path.join(dir, 'audit/audit.jsonl'), 'utf8'),
  };
}
