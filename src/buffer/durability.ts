// What an acknowledgement of this Redis is worth, as it says itself on a new connection.
import type { BufferConfig } from '../contracts/config/buffer-config.ts';
import { isBufferError } from './buffer-error.ts';
import type { RedisLink } from './redis-link.ts';

export interface Durability {
  readonly state: 'ok' | 'degraded';
  readonly why: string;
}

const REMEDY = 'start Redis with the shipped redis.conf';

/** Throws BufferError. */
export async function readDurability(link: RedisLink, wanted: BufferConfig['fsync']): Promise<Durability> {
  const info = await link.exchange('look at the persistence', (redis) => redis.info('persistence'));
  if (!/^aof_enabled:1\s*$/m.test(info))
    return degraded(`it keeps no log (appendonly no): every event it holds is lost when it ends; ${REMEDY}`);
  const settings = await readSettings(link);
  const policy = settings.get('maxmemory-policy');
  if (policy !== undefined && policy !== 'noeviction')
    return degraded(`it may remove events to make room (maxmemory-policy ${policy}); ${REMEDY}`);
  switch (settings.get('appendfsync')) {
    case 'always':
      return { state: 'ok', why: 'every acknowledged event is fsynced' };
    case 'everysec':
      return wanted === 'everysec'
        ? { state: 'ok', why: 'a power cut may lose the last two seconds (appendfsync everysec, as set)' }
        : degraded(
            `a power cut may lose the last two seconds (appendfsync everysec); ${REMEDY}, or set buffer.fsync to everysec`,
          );
    case 'no':
      return degraded(`a power cut may lose half a minute (appendfsync no); ${REMEDY}`);
    default:
      return { state: 'ok', why: 'it keeps a log; this user may not see how often that is fsynced' };
  }
}

/** Empty when the user may not read them: another Redis than the shipped one has its own ACL. */
async function readSettings(link: RedisLink): Promise<ReadonlyMap<string, string>> {
  try {
    const flat = await link.exchange('look at the settings', (redis) =>
      redis.call('CONFIG', 'GET', 'appendfsync', 'maxmemory-policy'),
    );
    const texts = Array.isArray(flat) ? flat.map(String) : [];
    return new Map(texts.flatMap((name, at) => (at % 2 === 0 ? [[name, texts[at + 1] ?? '']] : [])));
  } catch (thrown) {
    if (isBufferError(thrown, 'buffer.redis-refused')) return new Map();
    throw thrown;
  }
}

function degraded(why: string): Durability {
  return { state: 'degraded', why };
}
