import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { idsOf, namesOf, openTestBuffer } from '../buffer/open-test-buffer.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { seededRandom } from '../support/seeded-random.ts';

const appender = path.resolve(import.meta.dirname, '../buffer/appending-process.ts');
const markOf = (redis: TestRedis) => path.join(path.dirname(redis.socket), 'buffer-mark');

/** Runs an appending process and kills it right after its `count`th acknowledged event. Resolves with `<id> <name>` lines. */
async function appendUntilKilled(redis: TestRedis, first: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [appender, redis.socket, markOf(redis), String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.split('\n').length > count) child.kill('SIGKILL');
  });
  await once(child, 'close');
  // A last line without its end was cut by the kill.
  return output.split('\n').slice(0, -1);
}

for (const killsRedisToo of [false, true])
  test(`a process killed while it appends${killsRedisToo ? ', and Redis with it,' : ''} loses and repeats nothing that was acknowledged [B5]`, async (t) => {
    const random = seededRandom(killsRedisToo ? 2 : 1);
    const redis = await startRedis(t);
    const acknowledged = new Map<string, string>();
    for (let kill = 0; kill < 5; kill += 1) {
      const lines = await appendUntilKilled(redis, kill * 1_000_000, 1 + random.integer(1_500));
      for (const line of lines) {
        const [id = '', name = ''] = line.split(' ');
        acknowledged.set(name, id);
      }
      if (killsRedisToo) {
        await redis.kill();
        await redis.start();
      }
    }
    const buffer = await openTestBuffer(t, { redisSocket: redis.socket });
    const events = await buffer.all();
    const [ids, names] = [idsOf(events), namesOf(events)];
    t.diagnostic(`${acknowledged.size} acknowledged, ${events.length} stored`);
    assert.deepEqual(
      ids,
      ids.map((_, index) => `${buffer.generation}-${index + 2}`),
    );
    assert.equal(new Set(names).size, names.length, 'stored twice');
    const stored = new Map(names.map((name, index) => [name, ids[index]]));
    for (const [name, id] of acknowledged)
      assert.equal(stored.get(name), id, `${name} was acknowledged as ${id}`);
  });
