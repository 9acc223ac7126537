// The certificates of uplink, webhooks and page: can they be read, do they belong together, when do they end.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { errorText } from '../../lib/error-text.ts';
import { readPageCertificate } from '../identity/page-certificate.ts';
import { attention, type Check, fault, ok, type Patient, type Seen, unknown } from './finding.ts';
import { readText } from './read-text.ts';

const dayMs = 86_400_000;
const soonDays = 30;

export const checkCertificates: Check = {
  name: 'certificates',
  async look({ config, nowMs, root }: Patient) {
    const { caFile, certFile, keyFile } = config.uplink;
    const seen: Seen[] = [];
    for (const file of new Set([caFile, certFile, ...config.uplink.webhooks.map((hook) => hook.caFile)])) {
      if (file !== undefined) seen.push(...(await certificatesOf(file, nowMs)));
    }
    if (keyFile !== undefined) seen.push(await keySeen(keyFile, certFile));
    if (config.status.tls) seen.push(await pageSeen(config.appliance.stateDir, root));
    return seen.length > 0 ? seen : ok('none are configured');
  },
};

/** It has no end: it was made here, for the names of this box. */
async function pageSeen(stateDir: string, root: string): Promise<Seen> {
  const made = await readPageCertificate(stateDir).catch((cause: unknown) => errorText(cause));
  if (typeof made === 'string')
    return fault(made, 'Remove the file and start the appliance: browsers have to trust the new one.');
  if (made === null) return unknown('the page has no certificate yet: it is made at the next start');
  const host = await readText(root, 'proc/sys/kernel/hostname');
  const certificate = new X509Certificate(made.cert);
  if (host !== null && certificate.checkHost(host) === undefined)
    return attention(
      `the certificate of the page is for ${certificate.subjectAltName ?? 'no name'}, and this is called ${host}: browsers warn`,
      `Remove ${stateDir}/page-tls.pem and start the appliance: browsers have to trust the new one.`,
    );
  return ok(`the page has a certificate of its own, SHA-256 ${certificate.fingerprint256}`);
}

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
