// Where the status server keeps its users, its audit, its claim code and its certificate.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../contracts/config.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';
import {
  ensurePageCertificate,
  makePageCertificate,
  type PageCertificate,
} from '../operate/identity/page-certificate.ts';
import { textOrNull } from '../operate/import-provision.ts';
import { replaceFile } from '../operate/replace-file.ts';
import type { StatusOptions } from '../status/status-options.ts';

export async function statusFiles(
  config: Config,
  log: Log,
  reporter: (part: string) => ReportHealth,
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
    tls: config.status.tls ? await pageCertificate(stateDir, reporter('page-certificate')) : null,
  };
}

/** Without the one that browsers know the page still answers: the bus is watched, and somebody has to see what is wrong. */
async function pageCertificate(stateDir: string, report: ReportHealth): Promise<PageCertificate> {
  try {
    const kept = await ensurePageCertificate(stateDir);
    report('ok', `kept in ${stateDir}`);
    return kept;
  } catch (cause) {
    report(
      'down',
      `until its next start the page has a certificate of this run alone, which browsers warn of: ${errorText(cause)}`,
    );
    return makePageCertificate();
  }
}
