// The parts of the access control put together: users, passwords, sessions, claim, audit.
import type { StatusOptions } from '../status-options.ts';
import { type Access, createAccess } from './access.ts';
import { type AuditLog, openAuditLog } from './audit-log.ts';
import { createClaimCode } from './claim-code.ts';
import { createPasswordHasher } from './password-hash.ts';
import { openUserBook } from './user-book.ts';

export async function openGate(
  options: Pick<StatusOptions, 'auditDir' | 'clock' | 'log' | 'onClaimCode' | 'users'>,
): Promise<{ readonly access: Access; readonly audit: AuditLog }> {
  const { auditDir, clock, log, onClaimCode } = options;
  const book = await openUserBook(options.users);
  const isUnclaimed = book.state() === 'unclaimed';
  if (book.fault() !== null) log.error({ why: book.fault() }, 'nobody can log in');
  if (!isUnclaimed) onClaimCode(null);
  const access = createAccess({
    book,
    clock,
    hasher: createPasswordHasher(),
    claimCode: isUnclaimed ? createClaimCode(onClaimCode) : null,
    onClaimed: () => onClaimCode(null),
  });
  return { access, audit: await openAuditLog({ dir: auditDir, clock, log }) };
}
