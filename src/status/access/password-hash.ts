// A password -> Argon2id as a PHC string, and back to a yes or no. One at a time: each takes 19 MiB for its while.
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';

/** OWASP's second recommendation: 19 MiB, two passes, one lane. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const TAG_BYTES = 32;
const MOST_WAITING = 8;
/** A crowd of strangers fills the queue no further. */
const MOST_STRANGERS = 6;

/** `null`: too many are waiting already; nothing was looked at. */
export interface PasswordHasher {
  hash(password: string): Promise<string | null>;
  /** An account that does not exist (`stored` null) takes as long as one that does. */
  verify(
    password: string,
    stored: string | null,
    options?: { readonly isStranger: boolean },
  ): Promise<boolean | null>;
}

export function createPasswordHasher(): PasswordHasher {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const inTurn = async <T>(work: () => Promise<T>, most = MOST_WAITING): Promise<T | null> => {
    if (waiting >= most) return null;
    waiting += 1;
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      waiting -= 1;
    }
  };
  return {
    hash: (password) =>
      inTurn(async () => {
        const nonce = randomBytes(16);
        const tag = await derive(password, nonce, { memory: MEMORY_KIB, passes: PASSES });
        return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${base64(nonce)}$${base64(tag)}`;
      }),
    verify: (password, stored, { isStranger } = { isStranger: false }) =>
      inTurn(
        async () => {
          const parsed = stored === null ? null : parsePhc(stored);
          const { nonce, memory, passes } = parsed ?? {
            nonce: Buffer.alloc(16),
            memory: MEMORY_KIB,
            passes: PASSES,
          };
          const tag = await derive(password, nonce, { memory, passes });
          return parsed !== null && parsed.tag.length === tag.length && timingSafeEqual(parsed.tag, tag);
        },
        isStranger ? MOST_STRANGERS : MOST_WAITING,
      ),
  };
}

function derive(
  password: string,
  nonce: Buffer,
  cost: Pick<Argon2Parameters, 'memory' | 'passes'>,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  // The same letters typed on two keyboards may come as different characters.
  const message = password.normalize('NFC');
  argon2('argon2id', { message, nonce, parallelism: 1, tagLength: TAG_BYTES, ...cost }, (error, tag) =>
    error === null ? resolve(tag) : reject(error),
  );
  return promise;
}

function parsePhc(text: string) {
  const match = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
    text,
  );
  if (match === null) return null;
  const [, memory, passes, nonce = '', tag = ''] = match;
  return {
    memory: Number(memory),
    passes: Number(passes),
    nonce: Buffer.from(nonce, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
