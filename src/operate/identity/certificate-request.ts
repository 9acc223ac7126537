// A private key and the appliance's names -> a certificate request (PKCS #10, RFC 2986) as PEM. Ed25519 signs without randomness:
// the same names give the same bytes.
import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type ApplianceName, sourceOf } from '../../contracts/topics.ts';
import {
  bitString,
  implicit,
  objectId,
  octetString,
  sequence,
  setOfOne,
  smallInteger,
  utf8String,
} from './der.ts';

const oid = {
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  commonName: '2.5.4.3',
  extensionRequest: '1.2.840.113549.1.9.14',
  subjectAltName: '2.5.29.17',
  // RFC 8410: no parameters.
  ed25519: '1.3.101.112',
} as const;

/** Tenant, site and name are O, OU and CN; the alternative name is the `source` of the appliance's events, which is unique. */
export function certificateRequest(names: ApplianceName, privateKey: KeyObject): string {
  const subject = sequence(
    rdn(oid.organization, names.tenant),
    rdn(oid.organizationalUnit, names.site),
    rdn(oid.commonName, names.name),
  );
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const uri = implicit(6, 'primitive', new TextEncoder().encode(sourceOf(names)));
  const extensions = sequence(sequence(objectId(oid.subjectAltName), octetString(sequence(uri))));
  const attribute = sequence(objectId(oid.extensionRequest), setOfOne(extensions));
  const info = sequence(smallInteger(0), subject, publicKey, implicit(0, 'constructed', attribute));
  const request = sequence(info, sequence(objectId(oid.ed25519)), bitString(sign(null, info, privateKey)));
  const lines =
    Buffer.from(request)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function rdn(type: string, value: string): Uint8Array {
  return setOfOne(sequence(objectId(type), utf8String(value)));
}
