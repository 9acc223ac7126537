import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import test from 'node:test';
import multicastDns, { type Packet, type Resource } from 'multicast-dns';
import { announce } from '../../src/status/announce.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

/** Away from the real one: whoever answers on 5353 of this network is nobody's business here. */
const mdnsPort = 20_000 + (process.pid % 20_000);
const isMulticast = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ internal }) => !internal),
);

test('an appliance is found by its service, told with port and TLS, and says goodbye [I8]', async (t) => {
  if (!isMulticast) return t.skip('this machine has no network to multicast in');
  const listener = multicastDns({ port: mdnsPort });
  t.after(() => listener.destroy());
  const heard: Resource[] = [];
  listener.on('response', ({ answers, additionals }: Packet) => void heard.push(...answers, ...additionals));
  await once(listener, 'ready');
  const log = recordingLog();
  const clock = fakeClock();
  const announcement = announce({
    ...{ name: 'till.3', version: '1.2.3', isTls: true, port: () => 8480, mdnsPort },
    ...{ log, uptimeMs: clock.uptimeMs },
  });
  await until('it is announced', () => heard.some(({ type }) => type === 'SRV'));
  heard.length = 0;
  listener.query([{ name: '_AUTOWEAVE._tcp.local', type: 'PTR' }]);
  const found = await until('it answers', () => heard.find(({ type }) => type === 'PTR'));
  assert.equal(found.data, 'till-3._autoweave._tcp.local');
  const service = heard.find(({ type }) => type === 'SRV')?.data as { port: number; target: string };
  assert.equal(service.port, 8480);
  assert.match(service.target, /\.local$/);
  const txt = heard.find(({ type }) => type === 'TXT')?.data as readonly Buffer[];
  assert.deepEqual(txt.map(String), ['path=/', 'version=1.2.3', 'tls=1']);
  assert.ok(heard.some(({ name, type }) => type === 'A' && name === service.target));

  // Garbage, and a question about somebody else.
  const stranger = createSocket('udp4');
  for (const bytes of [Buffer.of(0), Buffer.alloc(12, 0xff), Buffer.alloc(600, 0xc0)])
    stranger.send(bytes, mdnsPort, '224.0.0.251');
  listener.query([{ name: '_printer._tcp.local', type: 'PTR' }]);
  heard.length = 0;
  clock.advance(1_000);
  for (let n = 0; n < 40; n++) listener.query([{ name: '_autoweave._tcp.local', type: 'PTR' }]);
  await until('it answers again', () => heard.some(({ type }) => type === 'PTR'));
  stranger.close();

  heard.length = 0;
  await announcement.stop();
  await until('it has said goodbye', () => heard.some(({ type, ttl }) => type === 'SRV' && ttl === 0));
  assert.ok(
    log.lines.every(({ level }) => level === 'debug'),
    JSON.stringify(log.lines),
  );
});
