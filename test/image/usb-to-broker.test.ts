// The appliance's root, booted under OpenRC: real devices come and go through QEMU, a broker on the host receives the events.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import { type Guest, type GuestOptions, hostFromGuest, startGuest } from '../support/guest.ts';
import { type DeviceKind, deviceKinds, sockets } from '../support/guest-devices.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.ts';
import { type Subscriber, startSubscriber } from '../support/mqtt-subscriber.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** A plug takes about a second in the guest; beside another load it was seen to take five. */
const eventLimitMs = 60_000;
const subject = (kind: DeviceKind) => `usb/${sockets[kind].kernelPort}`;

suite('a booted guest', { skip: whyNoGuest() }, () => {
  const cleanup = suiteCleanup();
  let options: GuestOptions;
  let guest: Guest;
  let broker: Mosquitto;
  let subscriber: Subscriber;

  before(async () => {
    const image = await buildGuestImage();
    const dir = await tempDir(cleanup);
    // The broker keeps the subscriber's session over its restart, so that the subscriber itself misses nothing.
    const config = ['persistence true', `persistence_location ${dir}/`, 'max_queued_messages 0'];
    broker = await startMosquitto(cleanup, { config });
    subscriber = await startSubscriber(cleanup, broker.url, 'autoweave/v1/acme/lab/guest/#', {
      clientId: 'central',
      clean: false,
      properties: { sessionExpiryInterval: 3_600 },
    });
    options = {
      image,
      dataDir: dir,
      until: 'daemon',
      config: {
        appliance: { tenant: 'acme', site: 'lab', name: 'guest' },
        uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
        status: { listen: '0.0.0.0', public: 'all' },
        // The number is that of the raw HID device.
        leds: { names: Array.from({ length: 8 }, (_, number) => `riso_kagaku${number}:green`) },
      },
    };
    guest = await startGuest(cleanup, options);
  });

  const events = () =>
    subscriber.messages
      .filter(({ topic }) => topic.includes('/event/'))
      .map(({ payload }) => JSON.parse(payload) as CloudEvent);
  const ofType = (type: string) => events().filter((event) => event.type === type);
  const seen = (type: string, of: string) =>
    events().filter((event) => event.type === `usb.device.${type}` && event.subject === of).length;
  const arrives = (type: string, of: string, count: number) =>
    until(`${type} number ${count} of ${of}`, () => seen(type, of) >= count, eventLimitMs);

  test('the daemon runs as its own user, without capabilities, in its own cgroup [Q4]', async (t) => {
    t.diagnostic(`daemon answers ${guest.bootSeconds.toFixed(1)} s after the start of QEMU`);
    const facts = await guest.shell.must(`
      for pid in $(cat /sys/fs/cgroup/edge/main/cgroup.procs); do
        [ "$(readlink "/proc/$pid/exe")" = /usr/bin/node ] || continue
        grep -E '^(Uid|CapEff|CapPrm|NoNewPrivs)' "/proc/$pid/status"
      done`);
    assert.match(facts, /^Uid:\s+101\s+101\s+101\s+101$/m);
    assert.match(facts, /^CapEff:\s+0{16}$/m);
    assert.match(facts, /^CapPrm:\s+0{16}$/m);
  });

  test('the daemon and the store come before udev and the plugins, and pages are small [Q1]', async () => {
    const facts = await guest.shell.must(`
      cat /sys/fs/cgroup/edge/cpu.weight /sys/fs/cgroup/edge/main/cpu.weight /sys/fs/cgroup/edge/plugins/cpu.weight
      ps -o user,nice | sed -n 's/^redis *//p' | sort -u
      cat /sys/kernel/mm/transparent_hugepage/enabled`);
    assert.deepEqual(facts.trim().split('\n'), ['1000', '1000', '100', '-5', 'always [madvise] never']);
  });

  test('without settings IPv4 comes from DHCP and IPv6 from the router that announces itself [I8]', async () => {
    const routed = 'ip -o addr show; ip route; ip -6 route';
    const has = (what: string, wanted: RegExp) =>
      until(what, async () => wanted.test(await guest.shell.must(routed)), eventLimitMs);
    await has('an address of DHCP', /inet 10\.0\.2\.15\/24 .*default via 10\.0\.2\.2 /s);
    // QEMU's router announces fec0::/64.
    await has('an address that was announced', /inet6 fec0::[0-9a-f:]+\/64 .*default via fe80::2 /s);
    await guest.shell.must('ping -6 -c 1 -W 20 fec0::2');
  });

  test('every kind of device plugged in and out is one added, one ready and one removed at the broker [U1]', async () => {
    for (const kind of deviceKinds) {
      await guest.devices.plug(kind);
      await arrives('ready', subject(kind), 1);
      // The hub stays for its child, and is the last to leave.
      if (kind === 'hub') continue;
      await guest.devices.unplug(kind);
      await arrives('removed', subject(kind), 1);
    }
    await guest.devices.unplug('hub');
    await arrives('removed', subject('hub'), 1);
    for (const kind of deviceKinds)
      assert.deepEqual(
        [seen('added', subject(kind)), seen('ready', subject(kind)), seen('removed', subject(kind))],
        [1, 1, 1],
        kind,
      );
    assertNoHole(events());
  });

  test('a hub that leaves takes its child with it: both are removed, once each [U1]', async () => {
    const counts = () => (['hub', 'hub-child'] as const).map((kind) => seen('removed', subject(kind)));
    const before_ = counts();
    await guest.devices.plug('hub');
    await arrives('ready', subject('hub'), 2);
    await guest.devices.plug('hub-child');
    await arrives('ready', subject('hub-child'), 2);
    await guest.devices.unplug('hub');
    for (const kind of ['hub', 'hub-child'] as const) await arrives('removed', subject(kind), 2);
    assert.deepEqual(
      counts(),
      before_.map((count) => count + 1),
    );
  });

  test('an LED that is plugged in blinks by the kernel as the appliance fares, written by the daemon [S2]', async (t) => {
    // Root makes the LED; the daemon, which is not root, gets it from udev.
    await guest.shell.must(`
      modprobe uhid; modprobe hid_led; modprobe ledtrig-timer
      node /usr/lib/autoweave-test/virtual-led.mjs >/run/virtual-led 2>&1 & echo $! >/run/virtual-led.pid`);
    const shows = async (delays: string) => {
      const { stdout } = await guest.shell.run(
        'cd /sys/class/leds/riso*green* && cat trigger delay_on delay_off',
      );
      return stdout.includes('[timer]') && stdout.endsWith(`\n${delays.replace('/', '\n')}\n`);
    };
    // The guest's clock is never synchronized: attention.
    await until('the LED asks for attention', () => shows('100/2900'), eventLimitMs);
    await broker.stop();
    await until('the LED tells that events are kept', () => shows('1800/200'), eventLimitMs);
    await broker.restart();
    await until('the LED asks for attention again', () => shows('100/2900'), eventLimitMs);
    t.diagnostic(
      await guest.shell.must('ls -l /sys/class/leds/riso*green*/ | tail -n +2; cat /run/virtual-led'),
    );
    await guest.shell.must('kill "$(cat /run/virtual-led.pid)"');
  });

  test('20 devices in and out while the broker is down arrive in order, each id once, when it is back [L2]', async () => {
    const kinds = ['keyboard', 'mouse', 'tablet', 'serial', 'network'] as const;
    const first = events().length;
    await broker.stop();
    for (let round = 0; round < 20; round += 1) {
      const kind = kinds[round % kinds.length] ?? 'keyboard';
      await guest.devices.plug(kind);
      await until(`${kind} is on the list`, async () =>
        (await listed(guest)).includes(sockets[kind].kernelPort),
      );
      await guest.devices.unplug(kind);
      await until(
        `${kind} is off the list`,
        async () => !(await listed(guest)).includes(sockets[kind].kernelPort),
      );
    }
    await broker.restart();
    const news = () => events().slice(first);
    const plugs = () => news().filter(({ type }) => /^usb\.device\.(added|removed)$/.test(type));
    await until('all 40 events', () => plugs().length >= 40, eventLimitMs);
    assert.deepEqual(
      plugs().map(({ type, subject: of }) => `${type} ${of}`),
      Array.from({ length: 20 }, (_, round) => kinds[round % kinds.length] ?? 'keyboard').flatMap((kind) => [
        `usb.device.added ${subject(kind)}`,
        `usb.device.removed ${subject(kind)}`,
      ]),
    );
    assertNoHole(events());
  });

  test('200 plugs that are gone within 50 ms are all reported, whatever the usb package misses [U2]', async (t) => {
    const first = events().length;
    const result = await guest.shell.must('node /usr/lib/autoweave-test/short-plugs.mjs 200', 300_000);
    const { plugs = 0, short = 0, p50, p95, max } = JSON.parse(result) as Readonly<Record<string, number>>;
    const of = (type: string) =>
      events()
        .slice(first)
        .filter((event) => event.type === type);
    // A device that comes back within the debounce is one event that counts what it stands for; a slow machine sees some.
    const plugEvents = () => [...of('usb.device.added'), ...of('usb.device.removed')];
    const all = () => plugEvents().reduce((sum, { data }) => sum + 1 + Number(data.folded ?? 0), 0);
    await until(`${plugs} plugs at the broker`, () => all() >= 2 * plugs, eventLimitMs).catch(
      (error: Error) => t.diagnostic(error.message),
    );
    const metrics = await (await fetch(`${guest.statusUrl}/metrics`)).text();
    const missed = metrics.match(/^autoweave_usb_crosscheck_missed_total\{.*$/gm) ?? [];
    t.diagnostic(
      `${plugs} plugs, ${short} gone within 50 ms; shown for ${p50} ms (p50), ${p95} ms (p95), ${max} ms at most`,
    );
    t.diagnostic(
      `${of('usb.device.added').length} added events; the rest came back within 50 ms and is counted as folded`,
    );
    const types = Object.entries(Object.groupBy(events().slice(first), ({ type }) => type));
    t.diagnostic(`events: ${types.map(([type, of]) => `${type} ${of?.length}`).join(', ')}`);
    t.diagnostic(`the usb package alone missed: ${missed.join(', ')}`);
    t.diagnostic(
      (
        metrics.match(/^autoweave_(usb_malformed|usb_source_records|usb_port_failures|events_).*$/gm) ?? []
      ).join(', '),
    );
    if (all() !== 2 * plugs)
      t.diagnostic(await guest.shell.must('logread | grep -v "usb .*-1: " | tail -40'));

    assert.ok(short >= 200, `only ${short} of ${plugs} plugs were short`);
    assert.equal(of('usb.device.added').length, of('usb.device.removed').length);
    assert.equal(all(), 2 * plugs);
    assert.equal(of('usb.suppressed').length, 0);
    assert.equal(missed.length, 2, 'the cross-check counts attach and detach');
    assertNoHole(events());
  });

  test('what was stored before the power was cut arrives after the next boot, each id once [B5]', async () => {
    const before_ = seen('added', subject('tablet'));
    await broker.stop();
    await guest.devices.plug('tablet');
    await until('the tablet is stored', async () => (await newestStored(guest)).includes(subject('tablet')));
    await guest.powerCut();
    await broker.restart();
    guest = await startGuest(cleanup, options);
    await arrives('added', subject('tablet'), before_ + 1);
    // The new machine has no tablet: what was known from before the cut is compared with the bus.
    await arrives('removed', subject('tablet'), before_ + 1);
    await until('the second start is told', () => ofType('system.started').length === 2, eventLimitMs);
    assert.deepEqual(
      ofType('system.started').map(({ data }) => data.unclean),
      [false, true],
    );
    assert.equal(seen('added', subject('tablet')), before_ + 1);
    assertNoHole(events());
  });
});

async function listed(guest: Guest): Promise<readonly string[]> {
  const { devices } = (await (await fetch(`${guest.statusUrl}/api/v1/devices`)).json()) as {
    readonly devices: readonly { readonly port: string }[];
  };
  return devices.map(({ port }) => port);
}

/** The newest three events that Redis has, fsync included. */
function newestStored(guest: Guest): Promise<string> {
  return guest.shell.must('redis-cli -s /run/redis/redis.sock xrevrange aw:events + - count 3');
}

/** As received, without sorting: consecutive from the first, no id twice. */
function assertNoHole(events: readonly CloudEvent[]): void {
  assert.deepEqual(
    events.map(({ id }) => id),
    events.map((_, index) => `${events[0]?.id.split('-')[0]}-${index + 1}`),
  );
}
