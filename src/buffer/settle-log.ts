// A Redis that was killed between write and fsync loads, when it is started again, what its disk may not have yet. Before anybody relies on
// what it holds, one write is waited for: under `appendfsync always` its reply comes after an fsync of the same log.
import { type BufferError, isBufferError } from './buffer-error.ts';
import { SETTLED } from './keys.ts';
import type { RedisLink } from './redis-link.ts';

/**
 * Null: a write has got through. Otherwise why Redis refused every one: it may be read, but what it holds may not be on its disk.
 * Throws BufferError, also while Redis is loading: then it holds nothing yet.
 */
export async function settleLog(link: RedisLink): Promise<BufferError | null> {
  const { runId } = link.identity;
  try {
    await link.exchange('settle the log', (redis) => redis.hset(SETTLED, 'run', runId));
    return null;
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown;
    // Without memory Redis takes nothing but removals; that of a field that is there is a write as well.
    return (await removeField(link)) ? null : thrown;
  }
}

/** false: refused too, or the field was not there, and nothing was written. */
async function removeField(link: RedisLink): Promise<boolean> {
  try {
    const removed = await link.exchange('settle the log without memory', (redis) =>
      redis.hdel(SETTLED, 'run'),
    );
    return removed > 0;
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown;
    return false;
  }
}

function isRefusal(thrown: unknown): thrown is BufferError {
  return isBufferError(thrown, 'buffer.redis-refused') && !String(thrown.cause).includes('LOADING');
}
