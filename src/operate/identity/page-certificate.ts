// The appliance's own certificate for its page: made at the first start, kept for ever, signed by itself (X.509 v3, RFC 5280) with the
// DER of this folder; Node has no writer for it, and a package or `openssl` would be more than these lines.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import { textOrNull } from '../import-provision.ts';
import { OperateError } from '../operate-error.ts';
import { replaceFile } from '../replace-file.ts';
import {
  bitString,
  boolean,
  explicit,
  generalizedTime,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  setOfOne,
  smallInteger,
  utcTime,
  utf8String,
} from './der.ts';

const oid = {
  commonName: '2.5.4.3',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

const FILE = 'page-tls.pem';

export interface PageCertificate {
  readonly key: string;
  readonly cert: string;
}

/** One file with both, so that a power cut leaves no pair that does not fit. @throws OperateError */
export async function ensurePageCertificate(dir: string): Promise<PageCertificate> {
  const stored = await readPageCertificate(dir);
  if (stored !== null) return stored;
  const made = makePageCertificate();
  await replaceFile(path.join(dir, FILE), `${made.key}${made.cert}`, { mode: 0o600 });
  return made;
}

/** A new one that is kept nowhere. */
export function makePageCertificate(): PageCertificate {
  // P-256: what every browser takes; Ed25519 is none of that yet.
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { key, cert: pageCertificate(privateKey, hostname()) };
}

/** null: none was made yet. @throws OperateError */
export async function readPageCertificate(dir: string): Promise<PageCertificate | null> {
  const file = path.join(dir, FILE);
  const stored = await textOrNull(file);
  return stored === null ? null : parsePair(stored, file);
}

/** For the names that do not change; a browser that trusts it for an address was told so by its user. */
export function pageCertificate(privateKey: KeyObject, host: string): string {
  const name = sequence(
    setOfOne(sequence(objectId(oid.commonName), utf8String(`AutoWeave Edge ${host}`.slice(0, 64)))),
  );
  const algorithm = sequence(objectId(oid.ecdsaWithSha256));
  // The clock may be anywhere at the first start. RFC 5280, 4.1.2.5: no well-defined end.
  const validity = sequence(utcTime('250101000000Z'), generalizedTime('99991231235959Z'));
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const dnsNames = [...new Set([host, `${host}.local`, 'localhost'])].map((each) =>
    implicit(2, 'primitive', new TextEncoder().encode(each)),
  );
  const addresses = [Uint8Array.of(127, 0, 0, 1), Uint8Array.from([...Array<number>(15).fill(0), 1])].map(
    (each) => implicit(7, 'primitive', each),
  );
  const extension = (id: string, isCritical: boolean, value: Uint8Array) =>
    sequence(objectId(id), ...(isCritical ? [boolean(true)] : []), octetString(value));
  const extensions = sequence(
    extension(oid.basicConstraints, true, sequence()),
    // digitalSignature alone.
    extension(oid.keyUsage, true, Uint8Array.of(0x03, 0x02, 0x07, 0x80)),
    extension(oid.extendedKeyUsage, false, sequence(objectId(oid.serverAuth))),
    extension(oid.subjectAltName, false, sequence(...dnsNames, ...addresses)),
  );
  const info = sequence(
    ...[explicit(0, smallInteger(2)), integer(serial), algorithm, name, validity, name, publicKey],
    explicit(3, extensions),
  );
  const der = sequence(info, algorithm, bitString(sign('sha256', info, privateKey)));
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function parsePair(text: string, file: string): PageCertificate {
  const [key = '', cert = ''] = ['PRIVATE KEY', 'CERTIFICATE'].map(
    (kind) => new RegExp(`-----BEGIN ${kind}-----[^-]+-----END ${kind}-----\\n`).exec(text)?.[0],
  );
  let fits = false;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    // The cause is left out: a message about a key may quote it.
    fits = false;
  }
  if (fits) return { key, cert };
  throw new OperateError(
    'operate.bad-identity',
    `cannot use the page's certificate ${file}: key and certificate do not fit; remove it, and a new one is made that browsers have to trust anew`,
  );
}
