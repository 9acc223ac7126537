// Keys from a seed: the same in every run, so that a failure can be repeated. None of them is trusted anywhere.
import { createHash } from 'node:crypto';
import { newSecretKey, type SecretKey } from '../../src/trust/secret-key.ts';

export function testKey(name: string, idOf: string = name): Promise<SecretKey> {
  const seed = createHash('sha256').update(name).digest();
  return newSecretKey({ seed, id: createHash('sha256').update(`id ${idOf}`).digest().subarray(0, 8) });
}
