// All checks, at once, each with a time limit -> what they found, in the order of the list.
import { errorText } from '../../lib/error-text.ts';
import { checkBroker } from './check-broker.ts';
import { checkCertificates } from './check-certificates.ts';
import { checkDaemon } from './check-daemon.ts';
import { checkCgroups, checkNamespaces, checkUdev, checkWatchdog } from './check-kernel.ts';
import { checkClock, checkDisk, checkFlashWear, checkMemory } from './check-machine.ts';
import { checkRedis } from './check-redis.ts';
import { checkTrust } from './check-trust.ts';
import { type Check, type Finding, fault, type Patient } from './finding.ts';

const limitMs = 5_000;

export const checks: readonly Check[] = [
  checkDaemon,
  checkClock,
  checkDisk,
  checkFlashWear,
  checkMemory,
  checkCgroups,
  checkNamespaces,
  checkUdev,
  checkWatchdog,
  checkRedis,
  checkBroker,
  checkCertificates,
  checkTrust,
];

/** Never rejects: a check that cannot be made is a finding too. */
export async function examine(patient: Omit<Patient, 'signal'>): Promise<readonly Finding[]> {
  const found = await Promise.all(checks.map((check) => lookOnce(check, patient)));
  return found.flat();
}

async function lookOnce(
  { name, look }: Check,
  patient: Omit<Patient, 'signal'>,
): Promise<readonly Finding[]> {
  const limit = new AbortController();
  const { signal } = limit;
  // Not AbortSignal.timeout: its timer does not keep a process alive that waits for nothing else.
  const timer = setTimeout(() => limit.abort(), limitMs);
  try {
    const seen = await look({ ...patient, signal });
    return [seen].flat().map((one) => ({ check: name, ...one }));
  } catch (cause) {
    const why = signal.aborted ? `no answer within ${limitMs / 1_000} s` : errorText(cause);
    return [{ check: name, ...fault(`the check could not be made: ${why}`, remedyOf(cause)) }];
  } finally {
    clearTimeout(timer);
  }
}

function remedyOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM'
    ? 'Run this as root or as the user of the appliance.'
    : 'Start what is asked for, and look again.';
}
