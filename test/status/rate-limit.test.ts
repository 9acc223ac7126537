import assert from 'node:assert/strict';
import test from 'node:test';
import { createRateLimit } from '../../src/status/rate-limit.ts';

test('a bucket empties with requests and fills with time [S3]', () => {
  const limit = createRateLimit({ perSecond: 2, burst: 3 });
  assert.deepEqual(
    [0, 0, 0, 0].map((at) => limit.wait('192.0.2.1', at)),
    [0, 0, 0, 1],
  );
  assert.equal(limit.wait('192.0.2.2', 0), 0, 'another address has its own');
  assert.equal(limit.wait('192.0.2.1', 500), 0);
  assert.equal(limit.wait('192.0.2.1', 500), 1);
  assert.equal(limit.wait('192.0.2.1', 60_000), 0);
});

test('the addresses of one IPv6 /64 count as one, and mapped IPv4 addresses as what they are [S3]', () => {
  const limit = createRateLimit({ perSecond: 1, burst: 1 });
  assert.equal(limit.wait('2001:db8::1', 0), 0);
  assert.equal(limit.wait('2001:db8:0:0:ffff::2', 0), 1);
  assert.equal(limit.wait('2001:db8:0:1::1', 0), 0);
  assert.equal(limit.wait('::ffff:192.0.2.1', 0), 0);
  assert.equal(limit.wait('192.0.2.1', 0), 1);
  assert.equal(limit.wait('::ffff:192.0.2.2', 0), 0);
});

test('a hundred thousand addresses use bounded memory and do not free the busy one [S3]', () => {
  const limit = createRateLimit({ perSecond: 1, burst: 1 });
  limit.wait('192.0.2.1', 0);
  let refused = 0;
  for (let n = 0; n < 100_000; n++) {
    limit.wait(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 0);
    if (n % 1_000 === 0 && limit.wait('192.0.2.1', 0) > 0) refused += 1;
  }
  assert.equal(refused, 100);
  assert.equal(limit.wait('10.0.0.0', 0), 0, 'the most silent one was forgotten');
});
