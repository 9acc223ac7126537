// The trust document in force: is there one, does it still count, and for how long do it and the keys of publishers.
import type { SignerKey } from '../../trust/signers.ts';
import { signersFor } from '../../trust/signers-for.ts';
import { readTrustInForce } from '../trust-in-force.ts';
import { attention, type Check, fault, ok, type Seen } from './finding.ts';

const dayMs = 86_400_000;
/** Documents are signed by hand, and have to reach every appliance. */
const soonDays = 30;
const nextVersion =
  'Have the next version signed (autoweave trust renew, sign) and give it to the appliance: autoweave trust install FILE.';

export const checkTrust: Check = {
  name: 'trust',
  async look({ config, nowMs }) {
    const found = await readTrustInForce(config.appliance.stateDir);
    if (!found.ok && found.code === 'trust.document-missing')
      return attention(
        'there is no trust document: nobody is trusted, so no plugin can be installed',
        'autoweave trust install --first FILE, or trust.json beside the file for autoweave provision.',
      );
    if (!found.ok)
      return fault(
        `the trust document counts for nothing: ${found.code}: ${found.reason}`,
        'Take it out of stateDir/trust, then autoweave trust install --first FILE with the right one.',
      );
    const { document } = found;
    const signers = signersFor(document, 'publisher');
    const seen = [ageOf(document, nowMs)];
    if (!signers.ok)
      return [
        ...seen,
        attention(`version ${document.version} trusts no publisher of plugins`, 'autoweave trust add.'),
      ];
    const { keys, revokedKeys, threshold } = signers.signers;
    const revoked = new Set(revokedKeys.map(({ id }) => id));
    return [
      ...seen,
      ...keysOf(
        keys.filter(({ key }) => !revoked.has(key.id)),
        threshold,
        nowMs,
      ),
    ];
  },
};

function ageOf(
  document: { readonly version: number; readonly issued: string; readonly expires: string },
  nowMs: number,
): Seen {
  const { expires, issued, version } = document;
  const days = Math.floor((Date.parse(expires) - nowMs) / dayMs);
  if (Date.parse(issued) - nowMs > dayMs)
    return fault(`version ${version} was issued ${issued}, which is still to come`, 'Look at the clock.');
  if (days < 0)
    return fault(
      `version ${version} expired ${expires}: what is installed goes on, nothing new is accepted`,
      nextVersion,
    );
  const why = `version ${version} counts for ${days} days more`;
  return days < soonDays ? attention(why, nextVersion) : ok(why);
}

function keysOf(keys: readonly SignerKey[], threshold: number, nowMs: number): readonly Seen[] {
  const until = (ms: number) =>
    keys.filter((key) => key.validFromMs <= nowMs && key.validUntilMs > ms).length;
  const now = until(nowMs);
  if (now < threshold)
    return [
      fault(
        `${now} of the publishers' keys count now, and ${threshold} have to sign: no plugin can be installed`,
        nextVersion,
      ),
    ];
  const soon = until(nowMs + soonDays * dayMs);
  if (soon < threshold)
    return [
      attention(
        `in ${soonDays} days ${soon} of the publishers' keys count, and ${threshold} have to sign`,
        nextVersion,
      ),
    ];
  return [ok(`${now} of the publishers' keys count, ${threshold} to a signature`)];
}
