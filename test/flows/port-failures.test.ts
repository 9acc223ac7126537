// What is plugged in and never becomes a device, from the kernel's log to the broker, the page's answer, the command line and the health.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { run } from '../cli/run.ts';
import { startDaemon } from '../support/daemon.ts';
import { kernelLog } from '../support/kernel-log.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { usbBus } from '../support/usb-bus.ts';

const begins = (port: string) => `usb ${port}: new full-speed USB device number 7 using xhci_hcd`;
const ends = (port: string) => `usb usb${port.replace('-', '-port')}: unable to enumerate USB device`;

test('a device that does not answer is told once, with what helps, also when the log is read again by the next daemon [U1] [S7] [B1]', async (t) => {
  const dir = await tempDir(t);
  const bus = usbBus(t, dir);
  const kernel = kernelLog(t, dir);
  const redis = await startRedis(t);
  const broker = await startMosquitto(t);
  const subscriber = await startSubscriber(t, broker.url);
  const options = {
    dir,
    redisSocket: redis.socket,
    brokerUrl: broker.url,
    config: {
      usb: { sysfsRoot: bus.sysfsRoot, monitorCommand: bus.monitorCommand, kernelLog: kernel.file },
    },
  };
  const first = await startDaemon(t, options);
  const answer = async ({ url }: { readonly url: string }) =>
    (await (await fetch(`${url}/api/v1/devices`)).json()) as {
      readonly ports: readonly Readonly<Record<string, unknown>>[];
    };
  const stateAt = async (daemon: { readonly url: string }) =>
    (await answer(daemon)).ports.map(({ port, state }) => `${String(port)} ${String(state)}`).join();
  /** What the broker got twice has the same id. */
  const failures = () => [
    ...new Map(
      subscriber
        .documents(/event\/usb\.port\.failed$/)
        .map(({ id, subject, data }) => [
          id,
          `${String(subject)} ${(data as { readonly code: string }).code}`,
        ]),
    ).values(),
  ];

  const log = [kernel.say(begins('1-2'))];
  await until('the plug shows', async () => (await stateAt(first)) === '1-2 enumerating');
  // A device that is listed has arrived: its port is not on its way any more.
  bus.plug({ port: '1-2', vendorId: 0x05e0, productId: 0x1200, serial: 'S1', product: 'Scanner' });
  await until('the device in its place', async () => (await stateAt(first)) === '');

  log.push(kernel.say(begins('1-3')), kernel.say('usb 1-3: device descriptor read/64, error -71'));
  log.push(kernel.say(ends('1-3')));
  await until('the failure at the broker', () => failures().length === 1);
  assert.deepEqual(failures(), ['usb/1-3 usb.port-no-answer']);
  assert.equal(await stateAt(first), '1-3 failed');
  const shown = await run('devices', '--socket', path.join(dir, 'control.sock'));
  assert.match(
    shown.out,
    /^1-3 +does not work \(device descriptor read\/64, error -71; unable to enumerate USB device\)\. .*another cable/m,
  );
  const health = (await (await fetch(`${first.url}/health`)).json()) as {
    readonly state: string;
    readonly parts: Readonly<Record<string, { readonly state: string; readonly why: string }>>;
  };
  assert.equal(health.parts['usb-ports']?.state, 'degraded');
  assert.match(health.parts['usb-ports'].why, /what is plugged in at 1-3 does not work/);
  // The same again waits for a minute, or for the end; meanwhile another one is told.
  log.push(kernel.say(begins('1-3')), kernel.say(ends('1-3')), kernel.say(ends('1-5')));
  await until('the other failure at the broker', () => failures().length === 2);
  // It is told a second later, for it may have been pulled out meanwhile.
  log.push(kernel.say(begins('1-6')), kernel.say("usb 1-6: can't set config #1, error -71"));
  await until('the late one at the broker', () => failures().length === 3);
  log.push(kernel.say('usb 1-9: USB disconnect, device number 3'));
  await first.stop('SIGTERM');
  const second = await startDaemon(t, options);
  for (const record of log) kernel.again(record);
  await until(
    'the failure shows again',
    async () => (await stateAt(second)) === '1-3 failed,1-5 failed,1-6 failed',
  );
  kernel.say(begins('1-4'));
  kernel.say('usb 1-4: New USB device found, idVendor=05e0, idProduct=1200, bcdDevice= 1.00');
  kernel.say('usb 1-4: Product: Heater');
  kernel.say('usb 1-4: rejected 1 configuration due to insufficient available bus power');
  await until('the next failure at the broker', () =>
    failures().includes('usb/1-4 usb.port-too-little-power'),
  );
  assert.deepEqual(failures(), [
    'usb/1-3 usb.port-no-answer',
    'usb/1-5 usb.port-no-answer',
    'usb/1-6 usb.port-not-configured',
    'usb/1-3 usb.port-no-answer',
    'usb/1-4 usb.port-too-little-power',
  ]);
});
