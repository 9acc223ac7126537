import assert from 'node:assert/strict';
import { duplexPair, Writable } from 'node:stream';
import test from 'node:test';
import { feedPackets } from '../../src/mqtt/feed-packets.ts';
import { seededRandom } from '../support/seeded-random.ts';

const options = {
  maximumPacketSize: 200_000,
  inspect: () => undefined,
  inbound: { charge: () => undefined, holdUpMs: () => 0 },
};

/** A packet with a body of so many bytes; the length takes one to four bytes. */
function packet(bodyBytes: number): Buffer {
  const length: number[] = [];
  let rest = bodyBytes;
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(bodyBytes, bodyBytes % 251)]);
}

test('however the bytes are cut, the sink gets the same whole packets [L5]', async () => {
  const random = seededRandom(7);
  for (let round = 0; round < 50; round++) {
    const sizes = Array.from({ length: 20 }, () =>
      random.pick([0, 1, 2, 126, 127, 128, 129, 300, 16_383, 16_384, 20_000]),
    );
    const packets = sizes.map(packet);
    const bytes = Buffer.concat(packets);
    const [ours, theirs] = duplexPair();
    const got: Buffer[] = [];
    const all = Promise.withResolvers<void>();
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        got.push(chunk);
        if (got.length === packets.length) all.resolve();
        // Some packets take their time: the next must wait.
        if (random.integer(3) === 0) setImmediate(done);
        else done();
      },
    });
    feedPackets(ours, options).pipe(sink);
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + random.integer(random.pick([3, 200, 40_000]));
      theirs.write(bytes.subarray(at, end));
      at = end;
    }
    await all.promise;
    assert.deepEqual(got, packets);
  }
});

test('a packet above the limit ends the stream before its body is taken in [L5]', async () => {
  const [ours, theirs] = duplexPair();
  const got: Buffer[] = [];
  const failed = Promise.withResolvers<Error>();
  ours.on('error', failed.resolve);
  feedPackets(ours, options).pipe(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        got.push(chunk);
        done();
      },
    }),
  );
  theirs.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
  assert.match((await failed.promise).message, /sent a packet of 268435455 bytes; the limit is 200000/);
  assert.deepEqual(got, []);
});

test('a length that never ends is refused [L5]', async () => {
  const [ours, theirs] = duplexPair();
  const failed = Promise.withResolvers<Error>();
  ours.on('error', failed.resolve);
  feedPackets(ours, options).pipe(new Writable());
  theirs.write(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80]));
  assert.match((await failed.promise).message, /a length of more than 4 bytes/);
});

test('a parser that throws ends the stream, not the process [L5]', async () => {
  const [ours, theirs] = duplexPair();
  const failed = Promise.withResolvers<Error>();
  ours.on('error', failed.resolve);
  feedPackets(ours, options).pipe(
    new Writable({
      write() {
        throw new RangeError('index out of range');
      },
    }),
  );
  theirs.write(packet(3));
  assert.match((await failed.promise).message, /a packet that cannot be read: index out of range/);
});
