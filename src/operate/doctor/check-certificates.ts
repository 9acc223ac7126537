// The files of the uplink: can they be read, do they belong together, when do they end.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { errorText } from '../../lib/error-text.ts';
import { attention, type Check, fault, ok, type Patient, type Seen } from './finding.ts';

const dayMs = 86_400_000;
const soonDays = 30;

export const checkCertificates: Check = {
  name: 'certificates',
  async look({ config, nowMs }: Patient) {
    const { caFile, certFile, keyFile } = config.uplink;
    const seen: Seen[] = [];
    for (const file of [caFile, certFile]) {
      if (file !== undefined) seen.push(...(await certificatesOf(file, nowMs)));
    }
    if (keyFile !== undefined) seen.push(await keySeen(keyFile, certFile));
    return seen.length > 0 ? seen : ok('none are configured');
  },
};

async function certificatesOf(file: string, nowMs: number): Promise<readonly Seen[]> {
  let blocks: readonly string[];
  try {
    blocks =
      (await readFile(file, 'utf8')).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ??
      [];
    if (blocks.length === 0)
      return [fault(`${file} contains no certificate`, 'Put a PEM certificate there.')];
    return blocks.map((block) => validity(file, new X509Certificate(block), nowMs));
  } catch (cause) {
    return [
      fault(`${file} cannot be read: ${errorText(cause)}`, 'Correct the path, the file or its rights.'),
    ];
  }
}

function validity(file: string, { subject, validFrom, validTo }: X509Certificate, nowMs: number): Seen {
  const name = `${file} (${subject.replaceAll('\n', ', ')})`;
  const days = Math.floor((Date.parse(validTo) - nowMs) / dayMs);
  if (Date.parse(validFrom) > nowMs)
    return fault(`${name} is valid from ${validFrom} only`, 'Look at the clock.');
  if (days < 0)
    return fault(
      `${name} ended ${-days} days ago`,
      'Have a new one signed; `autoweave provision` prints a request.',
    );
  return days < soonDays
    ? attention(
        `${name} ends in ${days} days`,
        'Have a new one signed; `autoweave provision` prints a request.',
      )
    : ok(`${name} is valid for ${days} days`);
}

async function keySeen(file: string, certFile: string | undefined): Promise<Seen> {
  try {
    const key = createPrivateKey(await readFile(file));
    if (((await stat(file)).mode & 0o007) !== 0)
      return fault(`${file} can be read by everybody`, `chmod 0640 ${file}`);
    if (certFile !== undefined && !new X509Certificate(await readFile(certFile)).checkPrivateKey(key))
      return fault(
        `${file} is not the key of ${certFile}`,
        'Name the key that the certificate was requested with.',
      );
    return ok(`${file} is a private key, for its user alone`);
  } catch (cause) {
    return fault(`${file} cannot be used: ${errorText(cause)}`, 'Correct the path, the file or its rights.');
  }
}
