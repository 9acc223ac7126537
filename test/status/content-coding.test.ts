import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { chooseCoding } from '../../src/status/content-coding.ts';
import { askBytes, startFixture } from './status-fixture.ts';

test('a client gets the better coding of those it takes, and none that it does not take [S3]', () => {
  for (const [accepted, coding] of [
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['GZIP', 'gzip'],
    ['br;q=0.5, gzip;q=0.9', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['gzip;q=0', null],
    ['*', 'br'],
    ['*;q=0.1, br;q=0', 'gzip'],
    ['identity, gzip;q=0.5', null],
    ['gzip;q=1.0;x, br;q=', null],
    ['deflate', null],
    ['', null],
    ['gzip,'.repeat(1_000), null],
  ] as const)
    assert.equal(chooseCoding(accepted), coding, accepted.slice(0, 40));
});

test('the page comes as brotli, as gzip or as it is, the same each time, under 150 KB; nothing else is compressed [S1] [S3]', async (t) => {
  const { server } = await startFixture(t);
  const get = (path: string, accepted: string, method = 'GET') =>
    askBytes(server.port, path, { method, headers: { 'Accept-Encoding': accepted } });
  const plain = await get('/', 'identity');
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(plain.headers.vary, 'Accept-Encoding');
  for (const [accepted, coding, unpack] of [
    ['gzip, deflate', 'gzip', gunzipSync],
    ['gzip, deflate, br', 'br', brotliDecompressSync],
  ] as const) {
    const packed = await get('/', accepted);
    assert.equal(packed.headers['content-encoding'], coding);
    assert.equal(packed.headers['content-length'], String(packed.body.length));
    assert.equal(packed.headers['content-security-policy'], plain.headers['content-security-policy']);
    assert.ok(packed.body.length < 60_000, `${coding}: ${packed.body.length} bytes`);
    assert.deepEqual(unpack(packed.body), plain.body);
    const head = await get('/', accepted, 'HEAD');
    assert.equal(head.headers['content-length'], packed.headers['content-length']);
    assert.equal(head.body.length, 0);
  }
  assert.ok(plain.body.length < 150_000, `${plain.body.length} bytes`);
  // Answers with secrets of a session, or with what strangers wrote: their lengths must not tell of them.
  for (const path of ['/api/v1/session', '/api/v1/devices', '/health'])
    assert.equal((await get(path, 'gzip, br')).headers['content-encoding'], undefined, path);
});
