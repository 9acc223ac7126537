// Where the status server keeps its users, its audit, its claim code and its certificate.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../contracts/config.ts';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';
import { ensurePageCertificate } from '../operate/identity/page-certificate.ts';
import { textOrNull } from '../operate/import-provision.ts';
import { replaceFile } from '../operate/replace-file.ts';
import type { StatusOptions } from '../status/status-options.ts';

export async function statusFiles(
  config: Config,
  log: Log,
): Promise<Pick<StatusOptions, 'users' | 'auditDir' | 'onClaimCode' | 'tls'>> {
  const { runDir, stateDir } = config.appliance;
  const users = path.join(stateDir, 'users.json');
  // On tmpfs, for root and this user: who reads it has the console, or is in front of it.
  const claimCode = path.join(runDir, 'claim-code');
  let writing: Promise<void> = Promise.resolve();
  return {
    users: { read: () => textOrNull(users), write: (text) => replaceFile(users, text, { mode: 0o600 }) },
    auditDir: path.join(stateDir, 'audit'),
    onClaimCode(code) {
      writing = writing
        .then(() =>
          code === null
            ? rm(claimCode, { force: true })
            : replaceFile(claimCode, `${code}\n`, { mode: 0o600 }),
        )
        .catch((cause: unknown) =>
          log.error({ file: claimCode, why: errorText(cause) }, 'the claim code cannot be shown'),
        );
    },
    tls: config.status.tls ? await ensurePageCertificate(stateDir) : null,
  };
}
