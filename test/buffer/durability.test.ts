import assert from 'node:assert/strict';
import test from 'node:test';
import { startRedis } from '../support/redis.ts';
import { adminClient, drafts, openTestBuffer, untilHealth } from './open-test-buffer.ts';

test('the shipped redis.conf fsyncs every write, keeps a log and evicts nothing, and health says so [B1]', async (t) => {
  const { socket } = await startRedis(t);
  const admin = adminClient(t, socket);
  const settings = ['appendfsync', 'appendonly', 'no-appendfsync-on-rewrite', 'maxmemory-policy'] as const;
  const said = await Promise.all(settings.map((name) => admin.config('GET', name)));
  assert.deepEqual(said.flat(), [
    ...['appendfsync', 'always', 'appendonly', 'yes', 'no-appendfsync-on-rewrite', 'no'],
    ...['maxmemory-policy', 'noeviction'],
  ]);
  assert.match(await admin.info('persistence'), /^aof_enabled:1\r?$/m);
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await untilHealth(buffer, 'ok', /^Redis answers; every acknowledged event is fsynced$/);
});

for (const [args, state, why] of [
  [
    ['--appendonly', 'no'],
    'degraded',
    /keeps no log \(appendonly no\).*start Redis with the shipped redis\.conf/,
  ],
  [['--appendfsync', 'no'], 'degraded', /lose half a minute \(appendfsync no\).*shipped redis\.conf/],
  [['--appendfsync', 'everysec'], 'degraded', /lose the last two seconds .*set buffer\.fsync to everysec/],
  [['--maxmemory-policy', 'allkeys-lru'], 'degraded', /may remove events .*maxmemory-policy allkeys-lru/],
] as const)
  test(`a Redis with ${args.join(' ')} is ${state}, also after it has taken events [B1]`, async (t) => {
    const { socket } = await startRedis(t, { args });
    const buffer = await openTestBuffer(t, { redisSocket: socket });
    await buffer.append(drafts(5));
    await untilHealth(buffer, state, why);
    assert.doesNotMatch(buffer.health.why, /every acknowledged event is fsynced/);
  });

test('a Redis that fsyncs once a second is as the configuration wants it, and what that costs is said [B1]', async (t) => {
  const { socket } = await startRedis(t, { args: ['--appendfsync', 'everysec'] });
  const buffer = await openTestBuffer(t, { redisSocket: socket, fsync: 'everysec' });
  await untilHealth(buffer, 'ok', /lose the last two seconds \(appendfsync everysec, as set\)/);
});

test('an ACL that hides the settings is no trouble, and nothing is claimed of them [B1]', async (t) => {
  const { socket } = await startRedis(t);
  await adminClient(t, socket).acl('SETUSER', 'default', '-config|get');
  const buffer = await openTestBuffer(t, { redisSocket: socket });
  await untilHealth(buffer, 'ok', /may not see how often/);
});
