// The shipped file from end to end: uevents in, Redis in between, an HTTP receiver out, without any broker.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';
import { CloudEvent } from '../../src/contracts/event.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { askRedis } from '../drill/ask-redis.ts';
import { startDaemon } from '../support/daemon.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';
import { isSignedWith, startWebhookReceiver, webhookSecret } from '../support/webhook-receiver.ts';

const keyboard = { port: '1-1', vendorId: 0x046d, productId: 0xc31c, serial: 'K1', product: 'Keyboard' };
const scanner = { port: '1-2', vendorId: 0x05e0, productId: 0x1200, serial: 'S1', product: 'Scanner' };

test('every event of devices plugged while the receiver was down, and over a restart, reaches it signed and in order [U8]', async (t) => {
  const dir = await tempDir(t);
  const bus = usbBus(t, dir);
  const redis = await startRedis(t);
  const receiver = await startWebhookReceiver(t);
  await receiver.stop();
  const webhook = { url: receiver.url, secret: webhookSecret, backoffMinMs: 50, backoffMaxMs: 200 };
  const options = {
    dir,
    redisSocket: redis.socket,
    config: {
      usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand },
      uplink: {
        webhooks: [
          { ...webhook, name: 'till' },
          { ...webhook, name: 'plugs', types: ['usb.device.added'], batch: 50 },
          { name: 'unsigned', url: receiver.url },
        ],
      },
    },
  };
  const first = await startDaemon(t, options);
  bus.plug(keyboard);
  bus.unplug(keyboard.port);
  const part = async (url: string, name: string) => {
    const { parts } = (await (await fetch(`${url}/health`)).json()) as {
      parts: Record<string, { state: string; why: string }>;
    };
    return parts[name];
  };
  await until('the health says that the receiver is away', async () => {
    const till = await part(first.url, 'webhook:till');
    return till?.state === 'down' && /nothing listens there/.test(till.why);
  });
  assert.match((await part(first.url, 'webhook:unsigned'))?.why ?? '', /no secret is set/);
  assert.equal(await first.stop('SIGTERM'), 0);

  const second = await startDaemon(t, options);
  bus.plug(scanner);
  await receiver.start();
  const of = (isList: boolean) =>
    receiver.deliveries.filter(
      ({ headers }) => headers['content-type']?.startsWith('application/cloudevents-batch') === isList,
    );
  const events = await until('all that happened, up to the scanner', () => {
    const seen = of(false).map(({ body }) => JSON.parse(body) as CloudEvent);
    return seen.some(({ type, subject }) => type === 'usb.device.ready' && subject === 'usb/1-2') && seen;
  });

  assert.deepEqual(
    events.map(({ id }) => id),
    events.map((_, index) => `${events[0]?.id.split('-')[0]}-${index + 1}`),
  );
  assert.deepEqual(
    events.filter(({ type }) => /added|removed/.test(type)).map(({ type, subject }) => `${type} ${subject}`),
    ['usb.device.added usb/1-1', 'usb.device.removed usb/1-1', 'usb.device.added usb/1-2'],
  );
  for (const event of events) assert.ok(schemaCheck(CloudEvent)(event).ok, JSON.stringify(event));
  for (const delivery of receiver.deliveries) {
    assert.ok(isSignedWith(webhookSecret, delivery));
    new Webhook(webhookSecret).verify(delivery.body, delivery.headers);
  }
  const listed = await until('the two plugs in lists', () => {
    const seen = of(true).flatMap(({ body }) => JSON.parse(body) as CloudEvent[]);
    return seen.length >= 2 && seen;
  });
  assert.deepEqual(
    listed.map(({ type, subject }) => `${type} ${subject}`),
    ['usb.device.added usb/1-1', 'usb.device.added usb/1-2'],
  );
  assert.equal((await part(second.url, 'webhook:till'))?.state, 'ok');

  const metrics = await (await fetch(`${second.url}/metrics`)).text();
  assert.match(metrics, /autoweave_webhook_delivered_events_total\{webhook="till"\} \d/);
  assert.equal(await second.stop('SIGTERM'), 0);
  const shown = JSON.stringify([first.log, second.log]) + metrics;
  assert.doesNotMatch(shown, /planted-query|whsec_|MDEyMzQ1/);
});

test('a webhook that is configured no more loses its place at once, and what it had not got is told [U8, B2]', async (t) => {
  const dir = await tempDir(t);
  const bus = usbBus(t, dir);
  const redis = await startRedis(t);
  const receiver = await startWebhookReceiver(t);
  await receiver.stop();
  const kept = { name: 'kept', url: receiver.url, secret: webhookSecret };
  const options = (webhooks: readonly object[]) => ({
    dir,
    redisSocket: redis.socket,
    config: { usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand }, uplink: { webhooks } },
  });
  const places = async () => String(await askRedis(redis.socket, ['HKEYS', 'aw:cursors']));
  const first = await startDaemon(t, options([kept, { ...kept, name: 'gone' }]));
  bus.plug(keyboard);
  await until('both have a place', async () => (await places()).includes('webhook:gone'));
  assert.equal(await first.stop('SIGTERM'), 0);

  const second = await startDaemon(t, options([kept]));
  await until('the place to be gone', async () => !(await places()).includes('webhook:gone'));
  assert.ok((await places()).includes('webhook:kept'));
  await receiver.start();
  const told = await until('the kept one to be told', () =>
    receiver.deliveries
      .map(({ body }) => JSON.parse(body) as CloudEvent)
      .find(({ type }) => type === 'buffer.cursor-expired'),
  );
  const { consumer, count, why } = told.data as Readonly<Record<string, unknown>>;
  assert.deepEqual({ consumer, why }, { consumer: 'webhook:gone', why: 'removed' });
  assert.ok(Number(count) >= 2);
  assert.equal(await second.stop('SIGTERM'), 0);
});
