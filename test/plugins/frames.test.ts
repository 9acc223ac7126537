import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { createFrameReader, writeFrame } from '../../src/plugins/protocol/frames.ts';
import { seededRandom } from '../support/seeded-random.ts';

test('messages come out whole and in order, however the pipe cuts them [P8]', () => {
  const pipe = new PassThrough();
  const sent = Array.from({ length: 50 }, (_, n) => ({ n, text: 'ü'.repeat((n * 37) % 900) }));
  for (const message of sent) writeFrame(pipe, message);
  const bytes = pipe.read() as Buffer;
  const random = seededRandom(7);
  for (let round = 0; round < 50; round++) {
    const reader = createFrameReader(10_000);
    const got: unknown[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random.integer(round < 5 ? 3 : 3_000));
      const { messages, problem } = reader.take(bytes.subarray(at, end));
      assert.equal(problem, null);
      got.push(...messages);
      at = end;
    }
    assert.deepEqual(got, sent);
  }
});

test('a message that is too large is known from its first four bytes; one that is no JSON when it is whole [P8]', () => {
  const large = Buffer.alloc(4);
  large.writeUInt32BE(10_001);
  assert.equal(createFrameReader(10_000).take(large).problem, 'too-large');
  const broken = Buffer.from('\0\0\0\x02{]');
  assert.equal(createFrameReader(10_000).take(broken.subarray(0, 5)).problem, null);
  assert.equal(createFrameReader(10_000).take(broken).problem, 'not-json');
});
