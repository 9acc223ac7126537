import assert from 'node:assert/strict';
import test from 'node:test';
import { startRedis } from '../support/redis.ts';
import { startRedisTap } from '../support/redis-tap.ts';
import { until } from '../support/until.ts';
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

test('what a restarted Redis has loaded is made durable by a write before anything is read or acknowledged [B5]', async (t) => {
  const redis = await startRedis(t);
  const tap = await startRedisTap(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: tap.socket });
  await buffer.append(drafts(3));
  // Redis stores the batch, and its reply never arrives.
  let isStored = false;
  tap.beforeReply = ({ entries }) => {
    isStored ||= entries.length > 0;
    return entries.length === 0;
  };
  const appended = buffer.append(drafts(2));
  await until('the batch to be stored', () => isStored);
  await redis.kill();
  tap.beforeReply = null;
  const requests: string[] = [];
  tap.afterRequest = ({ command, key }) => void requests.push(`${command} ${key}`.trim());
  await redis.start();
  tap.cut();
  assert.equal((await appended).length, 2);
  const dataRequests = requests.filter((request) => / aw:/.test(request));
  assert.equal(dataRequests[0], 'HSET aw:settled', requests.join(', '));
  assert.equal((await buffer.all()).length, 5);
});

test('a restarted Redis without memory is made durable by a removal [B4] [B5]', async (t) => {
  const redis = await startRedis(t);
  const tap = await startRedisTap(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: tap.socket });
  await buffer.append(drafts(3));
  const requests: string[] = [];
  tap.afterRequest = ({ command, key }) => void requests.push(`${command} ${key}`.trim());
  await redis.kill();
  tap.beforeRequest = () => false;
  await redis.start();
  await adminClient(t, redis.socket).config('SET', 'maxmemory', '1');
  tap.beforeRequest = null;
  tap.cut();
  await until('the stream to be looked at', () => requests.some((each) => each.startsWith('XINFO')));
  const dataRequests = requests.filter((request) => / aw:/.test(request));
  assert.deepEqual(dataRequests.slice(0, 2), ['HSET aw:settled', 'HDEL aw:settled']);
});

const settledRun = async (admin: ReturnType<typeof adminClient>) => [
  await admin.hget('aw:settled', 'run'),
  /^run_id:(\w+)/m.exec(await admin.info('server'))?.[1],
];

test('a Redis that is still loading its log when it is reached is made durable once it has loaded it [B4] [B5]', async (t) => {
  // Microseconds after each command of the log, as if it were long; it answers after every 1,024th.
  const redis = await startRedis(t, { args: ['--key-load-delay', '50'] });
  const tap = await startRedisTap(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: tap.socket });
  await buffer.append(drafts(6_000));
  await redis.kill();
  const started = redis.start();
  await untilHealth(buffer, 'degraded', /loading its log/);
  const requests: string[] = [];
  tap.afterRequest = ({ command, key }) => void requests.push(`${command} ${key}`.trim());
  await started;
  await buffer.append(drafts(1, 6_000));
  const [settled, running] = await settledRun(adminClient(t, redis.socket));
  assert.equal(settled, running, requests.join(', '));
  assert.equal((await buffer.all()).length, 6_001);
});

test('a batch that a killed Redis had written is acknowledged only when a write has got through, though it has no memory [B4] [B5]', async (t) => {
  const redis = await startRedis(t);
  const tap = await startRedisTap(t, redis.socket);
  const buffer = await openTestBuffer(t, { redisSocket: tap.socket });
  await buffer.append(drafts(3));
  // As the restart before this one, without memory too, has left it.
  await adminClient(t, redis.socket).hdel('aw:settled', 'run');
  let isStored = false;
  tap.beforeReply = ({ entries }) => {
    isStored ||= entries.length > 0;
    return entries.length === 0;
  };
  let isAcknowledged = false;
  const appended = buffer.append(drafts(2, 3)).then((ids) => {
    isAcknowledged = true;
    return ids;
  });
  await until('the batch to be stored', () => isStored);
  await redis.kill();
  tap.beforeRequest = () => false;
  tap.beforeReply = null;
  await redis.start();
  const admin = adminClient(t, redis.socket);
  await admin.config('SET', 'maxmemory', '1');
  let removals = 0;
  tap.afterRequest = ({ command }) => {
    if (command === 'HDEL') removals += 1;
  };
  tap.beforeRequest = null;
  tap.cut();
  await until('it is tried again and again', () => removals >= 3);
  await untilHealth(buffer, 'degraded', /at its memory limit/);
  assert.equal(isAcknowledged, false);
  assert.equal((await buffer.all()).length, 5, 'reading goes on');
  await admin.config('SET', 'maxmemory', '0');
  assert.equal((await appended).length, 2);
  const [settled, running] = await settledRun(admin);
  assert.equal(settled, running);
  await untilHealth(buffer, 'ok');
});
