// A certificate that somebody put beside the settings -> the state folder, if it is for this appliance's own key.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import path from 'node:path';
import { ownerOf, textOrNull } from '../import-provision.ts';
import { OperateError } from '../operate-error.ts';
import { replaceFile } from '../replace-file.ts';

export const certificateNames = { own: 'identity.crt', authority: 'broker-ca.crt' } as const;

/**
 * @param from `own`: the certificate made from identity.csr; `authority`: those the broker may be signed by. null: none is offered.
 * @returns the files that were written. @throws OperateError `operate.bad-certificate`, `operate.write-failed`
 */
export async function takeCertificates(
  dir: string,
  from: Readonly<Record<keyof typeof certificateNames, string | null>>,
): Promise<readonly string[]> {
  const key = await textOrNull(path.join(dir, 'identity.key'));
  const owner = await ownerOf(dir);
  const written: string[] = [];
  for (const kind of ['own', 'authority'] as const) {
    const source = from[kind];
    const text = source === null ? null : await textOrNull(source);
    if (source === null || text === null) continue;
    const certificate = parse(text, source);
    if (kind === 'own' && (key === null || !certificate.checkPrivateKey(createPrivateKey(key))))
      throw new OperateError(
        'operate.bad-certificate',
        `cannot use the certificate ${source}: it is not for this appliance's key; have it made from identity.csr`,
      );
    const file = path.join(dir, certificateNames[kind]);
    if ((await textOrNull(file)) === text) continue;
    await replaceFile(file, text, { mode: 0o644, ...owner });
    written.push(file);
  }
  return written;
}

/** Of several certificates in one file the first is the one that counts here. */
function parse(text: string, source: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new OperateError(
      'operate.bad-certificate',
      `cannot use the certificate ${source}: it is no certificate in PEM format; copy it there again`,
      { cause },
    );
  }
}
