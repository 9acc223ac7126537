// The configured PEM files -> what a TLS connection needs. Read at every connect, so that a renewed certificate is picked up.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { UplinkConfig } from '../contracts/config/uplink-config.ts';
import { errorText } from '../lib/error-text.ts';
import { MqttError } from './mqtt-error.ts';

type TlsFiles = Pick<UplinkConfig, 'caFile' | 'certFile' | 'keyFile'>;

/** Throws an MqttError that names the setting and the file. */
export async function readTlsFiles({ caFile, certFile, keyFile }: TlsFiles): Promise<SecureContextOptions> {
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new MqttError(
      'mqtt.bad-tls-file',
      `uplink.certFile and uplink.keyFile belong together: ${certFile === undefined ? 'certFile' : 'keyFile'} is not set`,
    );
  const ca = caFile === undefined ? {} : { ca: await readPem('caFile', caFile) };
  // OpenSSL skips an unreadable authority in silence.
  if (ca.ca !== undefined) check(`uplink.caFile ${caFile}`, () => new X509Certificate(ca.ca));
  if (certFile === undefined || keyFile === undefined) return ca;
  const cert = await readPem('certFile', certFile);
  check(`uplink.certFile ${certFile}`, () => createSecureContext({ cert }));
  const key = await readPem('keyFile', keyFile);
  check(`uplink.keyFile ${keyFile} (for the certificate ${certFile})`, () =>
    createSecureContext({ cert, key }),
  );
  return { ...ca, cert, key };
}

async function readPem(setting: string, file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new MqttError('mqtt.bad-tls-file', `cannot read uplink.${setting} ${file}`, { cause });
  }
  const wanted = setting === 'keyFile' ? 'PRIVATE KEY-----' : '-----BEGIN CERTIFICATE-----';
  if (!text.includes(wanted))
    throw new MqttError('mqtt.bad-tls-file', `uplink.${setting} ${file} holds no PEM block "${wanted}"`);
  return text;
}

function check(what: string, use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    // OpenSSL's reason says what is wrong with the file, never what is in it.
    throw new MqttError('mqtt.bad-tls-file', `${what} cannot be used: ${errorText(cause)}`);
  }
}
