// The stored events from the newest to the oldest, over the real buffer with its archive.
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { appendAll, events, folderOf, small, untilSpilled } from '../buffer/archive/spilling.ts';
import { idsOf, openTestBuffer, type TestBuffer } from '../buffer/open-test-buffer.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { ask, startFixture } from './status-fixture.ts';

interface Page {
  readonly events: readonly { readonly id: string; readonly type: string }[];
  readonly next: string | null;
}

async function serve(t: TestContext, buffer: TestBuffer) {
  const reads = { now: 0, most: 0 };
  const { server } = await startFixture(t, {
    read(from, count) {
      reads.now += 1;
      return buffer.read(from, count);
    },
    lastId: () => buffer.depth().lastId,
    onAppended: buffer.onAppended,
  });
  /** The ids of all pages, each of which goes on where the one before says. */
  const walk = async (query: string): Promise<readonly string[]> => {
    const ids: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      reads.now = 0;
      const before = next === '' ? '' : `&before=${next}`;
      const { body, status } = await ask(server.port, `/api/v1/events/history?${query}${before}`);
      assert.equal(status, 200, body);
      const page = JSON.parse(body) as Page;
      ids.push(...page.events.map(({ id }) => id));
      assert.notEqual(page.next, next, 'it goes on');
      reads.most = Math.max(reads.most, reads.now);
      next = page.next;
    }
    return ids;
  };
  return { walk, reads };
}

/** 4,000 events, of which the stream has the newest. */
async function spilled(t: TestContext, redis: TestRedis): Promise<TestBuffer> {
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  await buffer.openConsumer('uplink', { from: 'start', mayExpire: false });
  await appendAll(buffer, 4_000);
  await untilSpilled(buffer);
  return buffer;
}

/** What is stored and can be read; what could not is told by then. */
async function stored(buffer: TestBuffer): Promise<readonly string[]> {
  await buffer.all();
  await buffer.append(events(1, 99_999));
  const all = await buffer.all();
  // Its first number, a note, is left out by all().
  return [...idsOf(all).toReversed(), ...idsOf((await buffer.read(buffer.at(0), 1)).events)].filter(
    (id, at, ids) => ids.indexOf(id) === at,
  );
}

test('the history goes through stream and archive from the newest to the oldest, each event once [B3, S3]', async (t) => {
  const redis = await startRedis(t);
  const buffer = await spilled(t, redis);
  const { walk, reads } = await serve(t, buffer);
  const all = await stored(buffer);
  assert.ok(all.length > 4_000);
  for (const limit of [200, 73]) assert.deepEqual(await walk(`limit=${limit}`), all, `limit ${limit}`);
  assert.ok(reads.most <= 20, `${reads.most} reads for one page`);
  const low = (await buffer.all()).filter(({ type }) => type === 'uplink.lost');
  assert.deepEqual(await walk('limit=50&type=uplink.lost'), idsOf(low).toReversed());
});

test('the history goes on beyond what is damaged in the archive, and what was given up there [B3, S3]', async (t) => {
  const redis = await startRedis(t);
  const first = await spilled(t, redis);
  await first.stop();
  const folder = folderOf(redis);
  const leads = (await readdir(folder)).filter((name) => name.includes('.lead-')).sort();
  assert.ok(leads.length >= 4, leads.join());
  const [, damaged = '', gone = ''] = leads;
  const bytes = await readFile(path.join(folder, damaged));
  await writeFile(path.join(folder, damaged), Buffer.alloc(bytes.length));
  await rm(path.join(folder, gone));

  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, ...small });
  const { walk, reads } = await serve(t, buffer);
  const all = await stored(buffer);
  assert.ok(all.length < 4_000 && all.length > 500, `${all.length} left`);
  assert.deepEqual(await walk('limit=100'), all);
  assert.deepEqual(await walk('limit=200&type=usb.suppressed'), [], 'ends also where nothing is found');
  assert.ok(reads.most <= 200, `${reads.most} reads for one page`);
});
