// The appliance's own key pair: made here once, kept for ever, never sent anywhere. Out goes a certificate request.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmod, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ApplianceName } from '../../contracts/topics.ts';
import { ownerOf, textOrNull } from '../import-provision.ts';
import { OperateError } from '../operate-error.ts';
import { replaceFile } from '../replace-file.ts';
import { certificateRequest } from './certificate-request.ts';

export interface Identity {
  readonly keyFile: string;
  readonly requestFile: string;
  readonly isNew: boolean;
}

/** @throws OperateError `operate.bad-identity`, `operate.write-failed` */
export async function ensureIdentity(dir: string, names: ApplianceName): Promise<Identity> {
  const keyFile = path.join(dir, 'identity.key');
  const requestFile = path.join(dir, 'identity.csr');
  const owner = await ownerOf(dir);
  const stored = await textOrNull(keyFile);
  let key: KeyObject;
  if (stored === null) {
    key = generateKeyPairSync('ed25519').privateKey;
    await replaceFile(keyFile, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, ...owner });
  } else {
    key = parseKey(stored, keyFile);
    if (((await stat(keyFile)).mode & 0o077) !== 0) await chmod(keyFile, 0o600);
  }
  const request = certificateRequest(names, key);
  if ((await textOrNull(requestFile)) !== request) {
    await replaceFile(requestFile, request, { mode: 0o644, ...owner });
  }
  return { keyFile, requestFile, isNew: stored === null };
}

function parseKey(text: string, file: string): KeyObject {
  // The cause is left out: a message about a key may quote it.
  const bad = (why: string) =>
    new OperateError(
      'operate.bad-identity',
      `cannot use the identity ${file}: ${why}; restore it from a backup, or remove it, and the centre has to accept a new one`,
    );
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw bad('it is no private key');
  }
  if (key.asymmetricKeyType !== 'ed25519') throw bad(`it is ${key.asymmetricKeyType}, not Ed25519`);
  return key;
}
