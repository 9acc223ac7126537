import assert from 'node:assert/strict';
import test from 'node:test';
import type { Cursor } from '../../src/contracts/buffer.ts';
import { type EventId, START } from '../../src/contracts/event.ts';
import { uplinkPlace } from '../../src/supervisor/uplink-place.ts';

test('until the cursor can be opened nothing is read; then reading goes on where it stands [B2]', async () => {
  const opening = Promise.withResolvers<Cursor>();
  const readFrom: EventId[] = [];
  const acknowledged: EventId[] = [];
  const place = uplinkPlace({
    openConsumer: () => opening.promise,
    read: (from) => {
      readFrom.push(from);
      return Promise.resolve({ events: [], position: from });
    },
  });
  assert.deepEqual(place.cursor.position, START);
  const first = place.read(place.cursor.position, 10);
  await Promise.resolve();
  assert.deepEqual(readFrom, []);

  const stands = { generation: 2, number: 40 };
  opening.resolve({ position: stands, acknowledge: (id) => acknowledged.push(id) });
  assert.deepEqual((await first).position, stands);
  assert.deepEqual(place.cursor.position, stands);
  const ahead = { generation: 2, number: 41 };
  await place.read(ahead, 10);
  place.cursor.acknowledge(ahead);
  assert.deepEqual(readFrom, [stands, ahead]);
  assert.deepEqual(acknowledged, [ahead]);
});
