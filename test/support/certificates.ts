// A certificate authority and certificates of its own for TLS tests, made by the openssl program.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** `days` below 0: expired; `address` is one more that the certificate is for. */
  issue(name: string, options?: { readonly days?: number; readonly address?: string }): Promise<Certificate>;
  /** A certificate for a request that was made elsewhere; its path. */
  sign(request: string): Promise<string>;
}

/** Files in `dir`; certificates are for 127.0.0.1 and localhost, and good for clients as well. */
export async function makeAuthority(dir: string, name: string): Promise<Authority> {
  const file = (suffix: string) => path.join(dir, `${name}${suffix}`);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = { cert: file('-ca.crt'), key: file('-ca.key') };
  await run('openssl', [
    'req',
    '-x509',
    ...newKey,
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
    '-keyout',
    ca.key,
    '-out',
    ca.cert,
  ]);
  return {
    ...ca,
    async issue(subject, { days = 2, address } = {}) {
      const [key, request, cert, extensions] = ['.key', '.csr', '.crt', '.ext'].map((end) =>
        file(`-${subject}${end}`),
      ) as [string, string, string, string];
      const more = address === undefined ? '' : `,IP:${address}`;
      await writeFile(extensions, `subjectAltName=IP:127.0.0.1,DNS:localhost${more}\n`);
      await run('openssl', [
        'req',
        '-new',
        ...newKey,
        '-subj',
        `/CN=${subject}`,
        '-keyout',
        key,
        '-out',
        request,
      ]);
      const signing = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-extfile', extensions];
      await run('openssl', ['x509', '-req', '-in', request, ...signing, '-days', String(days), '-out', cert]);
      return { cert, key };
    },
    async sign(request) {
      const cert = `${request}.crt`;
      const signing = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial'];
      await run('openssl', ['x509', '-req', '-in', request, ...signing, '-days', '2', '-out', cert]);
      return cert;
    },
  };
}
