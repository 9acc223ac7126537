// What a person puts on CONFIG, from the firmware on: settings with a password, a fixed address, a time server; then a certificate; then
// a mistake. And what becomes of the machine when its runtime hangs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { before, suite, type TestContext, test } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import type { HealthReport } from '../../src/contracts/health.ts';
import { trustText } from '../plugins/test-plugins.ts';
import { makeAuthority } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type DiskGuestOptions, type Guest, hostFromGuest, startDiskGuest } from '../support/guest.ts';
import { copyDisk, type GuestDisk } from '../support/guest-disk.ts';
import { buildGuestDisk, whyNoDiskGuest } from '../support/guest-image.ts';
import { neighbourOf } from '../support/guest-neighbour.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type Subscriber, startSubscriber } from '../support/mqtt-subscriber.ts';
import { type NtpServer, startNtpServer } from '../support/ntp-server.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const address = '10.0.2.77';
const secret = 'a-secret-of-this-test';
const source = 'urn:autoweave:acme:lab:kiosk-7';
const closedPort = 9999;
/** Prints its process id; busybox cuts the user's name. */
const daemon = `ps -o pid,user,args | awk '$2 ~ /^autowea/ && /autoweave.mjs daemon/ { print $1 }'`;
/** Quiet: a few seconds; chronyd takes about ten to trust a server. */
const limitMs = 300_000;

suite('the first starts of a disk', { skip: whyNoDiskGuest() }, () => {
  const cleanup = suiteCleanup();
  let dir: string;
  let disk: GuestDisk;
  let guest: Guest;
  let subscriber: Subscriber;
  let times: NtpServer;
  let probePort: number;
  let trust: string;
  let settings: {
    readonly appliance: object;
    readonly uplink: Readonly<Record<string, unknown>>;
    readonly network: object;
    readonly time: object;
  };

  before(async () => {
    dir = await tempDir(cleanup);
    const passwords = path.join(dir, 'passwords');
    execFileSync('mosquitto_passwd', ['-c', '-b', passwords, 'kiosk', secret]);
    execFileSync('mosquitto_passwd', ['-b', passwords, 'test', 'test']);
    const config = ['allow_anonymous false', `password_file ${passwords}`];
    const broker = await startMosquitto(cleanup, { config });
    const account = { username: 'test', password: 'test' };
    subscriber = await startSubscriber(cleanup, broker.url, 'autoweave/v1/#', account);
    times = await startNtpServer(cleanup, { offsetMs: 3_600_000 });
    probePort = await freePort();
    trust = await trustText();
    settings = {
      appliance: { tenant: 'acme', site: 'lab', name: 'kiosk-7' },
      uplink: {
        url: `mqtt://${hostFromGuest}:${broker.port}`,
        ...{ username: 'kiosk', password: secret, backoffMinMs: 100, backoffMaxMs: 1_000 },
      },
      network: { address: `${address}/24`, gateway: hostFromGuest, dns: ['10.0.2.3'] },
      time: { servers: [`${hostFromGuest}:${times.port}`] },
    };
    disk = await copyDisk(await buildGuestDisk(), dir, 2_048);
  });

  async function boot(
    t: TestContext,
    options: Pick<DiskGuestOptions, 'mayReboot' | 'wire'> = {},
  ): Promise<void> {
    await guest?.powerCut();
    const forwards = [{ host: probePort, guest: closedPort, address }];
    guest = await startDiskGuest(cleanup, {
      disk: disk.file,
      until: 'daemon',
      address,
      forwards,
      ...options,
    });
    t.diagnostic(
      `daemon answers ${guest.bootSeconds.toFixed(1)} s after the firmware's start (busy machine)`,
    );
  }
  const events = (type: string) =>
    subscriber.messages
      .filter(({ topic }) => topic.endsWith(`/event/${type}`))
      .map(({ payload }) => JSON.parse(payload) as CloudEvent);
  const event = async (type: string, count = 1) => {
    await until(`event ${count} of ${type} at the broker`, () => events(type).length >= count, limitMs);
    return events(type).slice(count - 1);
  };
  const health = async () => (await (await fetch(`${guest.statusUrl}/health`)).json()) as HealthReport;
  const told = () => guest.qemu.console.lines.filter((line) => line.startsWith('autoweave: '));

  test('settings on CONFIG make it join a broker that wants a password, under its name and fixed address [I5, I8]', async (t) => {
    await disk.configure(JSON.stringify(settings));
    await disk.configure(trust, 'trust.json');
    assert.ok(await disk.holds(secret));
    await boot(t);
    const [started] = await event('system.started');
    assert.equal(started?.source, source);
    assert.deepEqual(told(), []);
    const addresses = await guest.shell.must(
      'ip -4 -o addr show scope global; ip route; hostname; cat /etc/resolv.conf',
    );
    assert.match(addresses, /inet 10\.0\.2\.77\/24 .*\ndefault via 10\.0\.2\.2 /s);
    assert.match(addresses, /^kiosk-7\nnameserver 10\.0\.2\.3$/m);
  });

  test('the password is on the data partition for the runtime alone, and no longer on CONFIG; the request is [I5]', async () => {
    const kept = await guest.shell.must(
      "stat -c '%U %a %n' /var/lib/autoweave/*; ls -A /run/autoweave-config",
    );
    assert.match(kept, /^autoweave 600 \/var\/lib\/autoweave\/secrets\.json$/m);
    assert.match(kept, /^autoweave 600 \/var\/lib\/autoweave\/identity\.key$/m);
    assert.equal(
      (await guest.shell.run(`find /run /etc /tmp -type f -exec grep -l ${secret} {} +`)).stdout,
      '',
    );
    await guest.shell.must('sync');
    const left = await disk.read('autoweave.json');
    assert.ok(!(await disk.holds(secret)), 'the password is still where the file was');
    const { password, ...uplink } = settings.uplink;
    assert.equal(password, secret);
    assert.deepEqual(JSON.parse(left), { ...settings, uplink }, left);
    assert.match(await disk.read('identity.csr'), /^-----BEGIN CERTIFICATE REQUEST-----/);
  });

  test('trust.json on CONFIG is in force: the appliance knows who may sign its plugins [I5, P3]', async () => {
    const kept = await guest.shell.must('cd /var/lib/autoweave/trust; stat -c %U trust.json; cat trust.json');
    assert.equal(kept, `autoweave\n${trust}`);
  });

  test('the clock is set by the configured time server, and from then on events are marked synchronized [I8, U9]', async (t) => {
    const [synchronized] = await event('system.clock-synchronized');
    assert.equal(synchronized?.clock, 'synced');
    const ahead = (Date.parse(synchronized?.time ?? '') - Date.now()) / 1_000;
    // The server is an hour ahead, and so is the box; what has passed since is taken off.
    assert.ok(Math.abs(ahead - 3_600) < limitMs / 1_000, `${ahead} s`);
    assert.equal((await health()).parts.clock?.state, 'ok');
    const tracking = await guest.shell.must('chronyc -n tracking');
    t.diagnostic(tracking.split('\n').slice(0, 5).join(' | '));
    assert.match(await guest.shell.must('ps -o user,args | grep [c]hronyd'), /^chrony /m);
  });

  test('no port but the page and multicast DNS is open to the network, and no file is set-user-id [I4]', async (t) => {
    const listening = await guest.shell.must("netstat -ltun | awk 'NR > 2 { print $1, $4 }'");
    // The page, and multicast DNS, which the filter lets in for its group alone.
    assert.deepEqual(listening.trim().split('\n').sort(), ['tcp :::8480', 'udp 0.0.0.0:5353']);
    // A service that was started by mistake.
    await guest.shell.must(
      `nft add rule inet autoweave input tcp dport ${closedPort} counter &&
      (node -e "require('net').createServer((s) => s.end('inside')).listen(${closedPort})" >/dev/null 2>&1 &)`,
    );
    await until('the service listens', async () =>
      (await guest.shell.must('netstat -ltn')).includes(`:${closedPort} `),
    );
    const first = probe(probePort);
    const dropped = `nft list chain inet autoweave input | awk '/dport ${closedPort} counter/ { print $6 }'`;
    await until(
      'the filter has dropped something',
      async () => Number(await guest.shell.must(dropped)) > 0,
      limitMs,
    );
    assert.equal(first.received, '');
    first.close();
    await guest.shell.must(`nft insert rule inet autoweave input tcp dport ${closedPort} accept`);
    await until('the same probe through an open filter', () => probe(probePort).answer, limitMs);
    const setId = await guest.shell.must('find / -xdev -type f -perm /6000 | wc -l');
    assert.equal(setId.trim(), '0');
    t.diagnostic(`open ports: ${listening.trim()}; set-user-id files: ${setId.trim()}`);
    t.diagnostic(await guest.shell.must('ps -o user,pid,rss,args | grep -v "\\["; free -m'));
  });

  test('the screen shows the name, the state and the address of the page as a QR code [I4, I8]', async (t) => {
    const { console: screen } = guest.qemu;
    await screen.waitFor(/^AutoWeave Edge \S+ {2}acme:lab:kiosk-7/, limitMs);
    await screen.waitFor(/^watching, health /, limitMs);
    await screen.waitFor(/^http:\/\/10\.0\.2\.77:8480\/$/, limitMs);
    await screen.waitFor(/^\u2588+.*[\u2580\u2584].*\u2588+$/, limitMs);
    const from = screen.lines.findLastIndex((line) => line.startsWith('AutoWeave Edge'));
    t.diagnostic(`\n${screen.lines.slice(from, from + 26).join('\n')}`);
  });

  test('without the password in the file it joins again after a power cut; a certificate on CONFIG opens mutual TLS [I5]', async (t) => {
    await boot(t);
    await event('system.started', 2);
    await guest.powerCut();

    const authority = await makeAuthority(dir, 'centre');
    const server = await authority.issue('broker', { address: hostFromGuest });
    const tls = await startMosquitto(cleanup, {
      config: [
        `cafile ${authority.cert}`,
        `certfile ${server.cert}`,
        `keyfile ${server.key}`,
        ...['require_certificate true', 'use_identity_as_username true'],
      ],
    });
    const request = path.join(dir, 'identity.csr');
    await writeFile(request, await disk.read('identity.csr'));
    await disk.put('identity.crt', await authority.sign(request));
    await disk.put('broker-ca.crt', authority.cert);
    const state = '/var/lib/autoweave';
    const uplink = {
      url: `mqtts://${hostFromGuest}:${tls.port}`,
      ...{
        caFile: `${state}/broker-ca.crt`,
        certFile: `${state}/identity.crt`,
        keyFile: `${state}/identity.key`,
      },
      ...{ backoffMinMs: 100, backoffMaxMs: 1_000 },
    };
    // The host's clock counts: the time server above is an hour ahead of the certificates' beginning, never behind.
    await disk.configure(JSON.stringify({ ...settings, uplink }));
    await boot(t, { mayReboot: true });
    await until(
      'the uplink is connected',
      async () => (await health()).parts.uplink?.state === 'ok',
      limitMs,
    );
    // mosquitto_passwd's account is not used here: what was sealed for the other broker is gone.
    assert.ok(
      told().some((line) => /uplink\.password was sealed for another broker/.test(line)),
      told().join('\n'),
    );
  });

  test('a runtime that hangs is reset by the watchdog, and the next start says why [I4]', async (t) => {
    const fed = await health();
    assert.equal(fed.parts.watchdog?.state, 'ok', JSON.stringify(fed.parts.watchdog));
    const state = await guest.shell.must(
      'cd /sys/class/watchdog/watchdog0; cat identity state timeout bootstatus',
    );
    assert.match(state, /^i6300ESB timer\nactive\n120\n0$/m);
    const starts = () =>
      guest.qemu.console.lines.filter((line) => line.endsWith('test-agent: listening')).length;
    const before = starts();
    const began = performance.now();
    await guest.shell.must(`kill -STOP $(${daemon})`);
    await until('the machine starts again', () => starts() > before, 900_000);
    await guest.qemu.console.waitFor(/^autoweave: watchdog: the machine was reset by its watchdog/, limitMs);
    await until(
      'the daemon answers',
      () => fetch(`${guest.statusUrl}/health`).catch(() => undefined),
      limitMs,
    );
    const report = await health();
    assert.match(report.parts.boot?.why ?? '', /watchdog: the machine was reset/);
    t.diagnostic(
      `answers again ${((performance.now() - began) / 1_000).toFixed(0)} s after it was stopped (busy machine)`,
    );
  });

  test('settings without time servers ask the one that DHCP names; an interface with a fixed IPv6 address reaches and is reached [I8]', async (t) => {
    const network = {
      ...settings.network,
      interfaces: [{ name: 'eth1', address6: '2001:db8::20/64', gateway6: '2001:db8::1' }],
    };
    await guest.powerCut();
    await disk.configure(JSON.stringify({ ...settings, network, time: {} }));
    await boot(t, { wire: true });
    await event('system.started', 3);
    const neighbour = await neighbourOf(guest.shell);

    // Servers may name nothing to who asks for nothing.
    const asked = await neighbour.askedOfDhcp();
    assert.ok(asked.includes(42), `the client asks for the options ${asked.join(' ')}`);
    await neighbour.startServers();
    await until(
      'chronyd takes the time of the server that DHCP named',
      async () => /^\^\* 192\.0\.2\.1 /m.test(await guest.shell.must('chronyc -n sources')),
      limitMs,
    );
    const synchronized = await event('system.clock-synchronized', 2);
    assert.equal(synchronized[0]?.clock, 'synced');
    t.diagnostic(await guest.shell.must('chronyc -n sources; ip -o addr show dev eth1; ip -6 route'));

    const page = await neighbour.must("wget -q -T 60 -O - 'http://[2001:db8::20]:8480/health'", limitMs);
    assert.match(page, /"state":/);
    // Not on the cable: behind the gateway, which has it on its loopback. The router of eth0 announces itself too.
    await guest.shell.must('ping -6 -c 3 -W 20 2001:db8:1::1');
  });

  test('a wrong file is refused with its field as an event, and what was in force stays so [I5]', async (t) => {
    await guest.powerCut();
    await disk.configure(
      JSON.stringify({ ...settings, network: { address: '10.0.2.77/24', gateway: '10.9.9.9' } }),
    );
    await boot(t);
    const [refused] = await event('system.configuration-refused');
    assert.equal(refused?.source, source);
    assert.equal(refused?.data.field, 'network.gateway');
    assert.equal(refused?.data.code, 'config.conflict');
    assert.match(
      (await health()).parts.boot?.why ?? '',
      /network\.gateway 10\.9\.9\.9 is not another address/,
    );
    assert.ok(
      told().some((line) => line.includes('network.gateway 10.9.9.9')),
      told().join('\n'),
    );
    // Once for this boot, also when the runtime starts again.
    await guest.shell.must(`kill -9 $(${daemon})`);
    await event('system.started', 5);
    assert.equal(events('system.configuration-refused').length, 1);
  });

  test('an address that the system does not take is told, and DHCP is asked instead [I8]', async () => {
    // Past the checks of the configuration, as a driver or a kernel may refuse what is right on paper.
    await guest.shell.must(
      "printf '*\\t10.0.2.77/24\\t192.168.55.1\\tauto\\t-\\n' >/run/autoweave-config/interfaces && rc-service network restart",
    );
    const told = /eth\d could not be given 10\.0\.2\.77\/24 with gateway 192\.168\.55\.1: it asks DHCP/;
    await guest.qemu.console.waitFor(told, limitMs);
    const addresses = () => guest.shell.must('ip -4 -o addr show scope global; ip route');
    await until('an address of DHCP', async () => (await addresses()).includes('inet 10.0.2.15/24'), limitMs);
    assert.doesNotMatch(await addresses(), /10\.0\.2\.77/);
  });

  test('without its packet filter no interface is configured, and the screen says so [I4]', async () => {
    const { shell } = guest;
    assert.match(await shell.must('nft list chain inet autoweave input'), /mld-listener-query/);
    await shell.must(
      `cp /etc/autoweave/firewall.nft /tmp/good.nft && echo nonsense >>/etc/autoweave/firewall.nft
       rc-service network stop && ip -4 addr flush dev eth0 && ip link set eth0 down`,
    );
    const { code, stderr, stdout } = await shell.run('rc-service firewall restart; rc-service network start');
    assert.notEqual(code, 0, stdout + stderr);
    await guest.qemu.console.waitFor(/^autoweave: network: the packet filter cannot be set/, limitMs);
    const up = () => shell.must('ip -o link show dev eth0');
    assert.doesNotMatch(await up(), /[<,]UP[,>]/);
    await shell.must('cp /tmp/good.nft /etc/autoweave/firewall.nft && rc-service network start');
    assert.match(await up(), /[<,]UP[,>]/);
  });
});

/** A connection to a port of the host that QEMU forwards; QEMU itself accepts it in any case. */
function probe(port: number) {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  const answer = new Promise<boolean>((resolve) => {
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(received === 'inside'));
  });
  return {
    answer,
    get received() {
      return received;
    },
    close: () => socket.destroy(),
  };
}
