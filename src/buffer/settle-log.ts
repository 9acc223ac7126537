// A Redis that was killed between write and fsync loads, when it is started again, what its disk may not have yet. Before anybody relies on
// what it holds, one write is waited for: under `appendfsync always` its reply comes after an fsync of the same log.
import { isBufferError } from './buffer-error.ts';
import { SETTLED } from './keys.ts';
import type { RedisLink } from './redis-link.ts';

/** Once for each start of Redis. Throws BufferError unless Redis refuses every write: then nothing new is acknowledged either. */
export async function settleLog(link: RedisLink): Promise<void> {
  const { runId } = link.identity;
  try {
    await link.exchange('settle the log', (redis) => redis.hset(SETTLED, 'run', runId));
  } catch (thrown) {
    if (!isBufferError(thrown, 'buffer.redis-refused')) throw thrown;
    // Without memory Redis takes nothing but removals; that of a field that is there is a write as well.
    await removeField(link);
  }
}

async function removeField(link: RedisLink): Promise<void> {
  try {
    await link.exchange('settle the log without memory', (redis) => redis.hdel(SETTLED, 'run'));
  } catch (thrown) {
    if (!isBufferError(thrown, 'buffer.redis-refused')) throw thrown;
  }
}
