// Files named on a command line -> what they hold, or an error that names the file.
import { errorText } from '../lib/error-text.ts';
import { readAtMost } from '../lib/read-at-most.ts';
import { type PublicKey, parsePublicKey } from '../trust/public-key.ts';
import { needsPassword, parseSecretKey, type SecretKey } from '../trust/secret-key.ts';
import { cliError, orThrow } from './cli-error.ts';
import type { CommandContext } from './command.ts';

/** Key files, signatures and the like. */
const maxTextBytes = 2_097_152;

export async function readBytes(file: string, maxBytes: number): Promise<Buffer> {
  let bytes: Buffer | null;
  try {
    bytes = await readAtMost(file, maxBytes);
  } catch (cause) {
    throw cliError('cli.unreadable', `read ${file}: ${errorText(cause)}`, cause);
  }
  if (bytes === null) throw cliError('cli.unreadable', `read ${file}: it has more than ${maxBytes} bytes`);
  return bytes;
}

export async function readText(file: string): Promise<string> {
  return (await readBytes(file, maxTextBytes)).toString('utf8');
}

/** A file, or the key itself (`RW…`). */
export async function readPublicKey(named: string): Promise<PublicKey> {
  const text = /^RW[A-Za-z0-9+/]{54}$/.test(named) ? named : await readText(named);
  return orThrow(parsePublicKey(text), named).key;
}

/** Asks for the password when the key has one and none is in a file. */
export async function readSecretKey(
  file: string,
  { ask }: CommandContext,
  passwordFile: string | undefined,
): Promise<SecretKey> {
  const text = await readText(file);
  let password: string | null = null;
  if (needsPassword(text)) {
    if (passwordFile !== undefined) password = await readPassword(passwordFile);
    else if (ask !== null) password = await ask(`Password of ${file}: `, { isSecret: true });
  }
  return orThrow(await parseSecretKey(text, password), file).key;
}

/** The first line. */
export async function readPassword(file: string): Promise<string> {
  return (await readText(file)).split('\n')[0] ?? '';
}
