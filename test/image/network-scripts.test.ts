// The scripts that set the image's network, with a real kernel and busybox's own DHCP server, in a network of their own. What routers
// announce and what chronyd makes of its sources is shown by the guests (disk-image.test.ts, first-start.test.ts).
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { loadConfig } from '../../src/config/load-config.ts';
import { toSystemFiles } from '../../src/operate/system-files/to-system-files.ts';
import { openScriptRoom, type ScriptRoom, whyNoScriptRoom } from '../support/script-room.ts';

/** A wired interface aw0 with a neighbour aw1; OpenRC's own part is left out. */
const begin = `
  ebegin() { :; }
  eend() { :; }
  ip link add aw0 type veth
  ip link set veth0 name aw1
  ip link set aw1 up
  mkdir -p /sys/class/net/aw0/device
  echo 1 >/sys/class/net/aw0/type
  . /etc/init.d/network
`;
const facts = `
  cd /proc/sys/net/ipv6/conf/aw0
  echo autoconf $(cat autoconf) routers $(cat accept_ra_defrtr)
  ip -o addr show dev aw0 | grep -v ' inet6 fe80:' | awk '{ print $3, $4 }'
  (ip route; ip -6 route | grep default || :) | sed 's/ *$//'
`;

function configure(room: ScriptRoom, network: object): void {
  const verdict = loadConfig({ file: 'x', text: JSON.stringify({ network }), environment: {} });
  assert.ok(verdict.ok, JSON.stringify(verdict));
  for (const [name, text] of Object.entries(toSystemFiles(verdict.config)))
    room.write(`run/autoweave-config/${name}`, text);
}

const notes = (room: ScriptRoom) => room.read('run/autoweave-boot/notes');

suite('the scripts of the network', { skip: whyNoScriptRoom() }, () => {
  test('an interface has a fixed IPv6 address beside the IPv4 one, and no router decides about it [I8]', async (t) => {
    const room = await openScriptRoom(t);
    configure(room, {
      ...{ address: '192.0.2.20/24', gateway: '192.0.2.1' },
      ...{ address6: '2001:db8::20/64', gateway6: '2001:db8::1' },
      dns: ['2001:db8::53'],
    });
    assert.deepEqual(room.run(`${begin} start; ${facts}`).trim().split('\n'), [
      'autoconf 0 routers 0',
      'inet 192.0.2.20/24',
      'inet6 2001:db8::20/64',
      'default via 192.0.2.1 dev aw0',
      '192.0.2.0/24 dev aw0 scope link  src 192.0.2.20',
      'default via 2001:db8::1 dev aw0  metric 512',
    ]);
    assert.equal(room.read('run/resolv.conf'), 'nameserver 2001:db8::53\n');
    assert.equal(notes(room), null);
  });

  test('fixed addresses and gateways are there without a cable, and after it was pulled and put back [I8]', async (t) => {
    const room = await openScriptRoom(t);
    configure(room, {
      ...{ address: '192.0.2.20/24', gateway: '192.0.2.1' },
      ...{ address6: '2001:db8::20/64', gateway6: 'fe80::1' },
    });
    const said = room.run(`${begin}
      ip link set aw1 down; start; ip link set aw1 up; (${facts})
      ip link set aw1 down; ip link set aw1 up; (${facts})`);
    const expected = [
      'autoconf 0 routers 0',
      'inet 192.0.2.20/24',
      'inet6 2001:db8::20/64',
      'default via 192.0.2.1 dev aw0',
      '192.0.2.0/24 dev aw0 scope link  src 192.0.2.20',
      'default via fe80::1 dev aw0  metric 512',
    ];
    assert.deepEqual(said.trim().split('\n'), [...expected, ...expected]);
    assert.equal(notes(room), null);
  });

  test('with IPv6 alone nobody is asked for an IPv4 address; without a gateway the router that announces itself is taken [I8]', async (t) => {
    const room = await openScriptRoom(t);
    configure(room, { interfaces: [{ name: 'aw0', address: 'none', address6: '2001:db8::20/64' }] });
    const said = room.run(`${begin} start; ${facts} pidof udhcpc || echo no DHCP`);
    assert.deepEqual(said.trim().split('\n'), ['autoconf 0 routers 1', 'inet6 2001:db8::20/64', 'no DHCP']);
  });

  test("a router's own link-local address is a gateway [I8]", async (t) => {
    const room = await openScriptRoom(t);
    configure(room, { address: 'none', address6: '2001:db8::20/128', gateway6: 'fe80::1' });
    assert.match(room.run(`${begin} start; ${facts}`), /^default via fe80::1 dev aw0/m);
  });

  test('an IPv6 address that the system does not take is told, and routers decide [I8]', async (t) => {
    const room = await openScriptRoom(t);
    // Past the checks of the configuration.
    room.write('run/autoweave-config/interfaces', '*\t192.0.2.20/24\t-\t2001:db8::20/64\t2001:db8:1::1\n');
    const said = room.run(`${begin} start; ${facts}`);
    assert.deepEqual(said.trim().split('\n'), [
      'autoconf 1 routers 1',
      'inet 192.0.2.20/24',
      '192.0.2.0/24 dev aw0 scope link  src 192.0.2.20',
    ]);
    assert.match(
      notes(room) ?? '',
      /\tnetwork\tnot-set\taw0 could not be given 2001:db8::20\/64 with gateway 2001:db8:1::1: it takes what a router announces instead\t$/m,
    );
  });

  test('DHCP gives address, router, name servers and time servers, and leaves IPv6 as it is [I8]', async (t) => {
    const room = await openScriptRoom(t);
    configure(room, { address6: '2001:db8::20/64' });
    room.write(
      'tmp/udhcpd.conf',
      `interface aw1\nstart 192.0.2.30\nend 192.0.2.30\nlease_file /run/leases\npidfile /run/udhcpd.pid
opt subnet 255.255.255.0\nopt router 192.0.2.1\nopt dns 192.0.2.53\nopt ntpsrv 192.0.2.123 192.0.2.124\n`,
    );
    const said = room.run(`${begin}
      ip addr add 192.0.2.1/24 dev aw1
      touch /run/leases
      udhcpd -f /tmp/udhcpd.conf >/dev/null 2>&1 &
      start
      until [ -e /run/resolv.conf ]; do sleep 0.1; done
      ${facts}
      cat /run/resolv.conf
      ip -6 -o addr show dev aw0 | grep -c ' fe80:'
      stat -c %a /run/chrony-dhcp/*; stop`);
    assert.deepEqual(said.trim().split('\n'), [
      'autoconf 0 routers 1',
      'inet 192.0.2.30/24',
      'inet6 2001:db8::20/64',
      'default via 192.0.2.1 dev aw0',
      '192.0.2.0/24 dev aw1 scope link  src 192.0.2.1',
      '192.0.2.0/24 dev aw0 scope link  src 192.0.2.30',
      'nameserver 192.0.2.53',
      // Its own, which every interface has.
      '1',
      // chronyd is not root when it reads it.
      '644',
    ]);
    assert.equal(
      room.read('run/chrony-dhcp/aw0.sources'),
      'server 192.0.2.123 iburst prefer\nserver 192.0.2.124 iburst prefer\n',
    );
  });

  test('of what DHCP calls time servers nothing but addresses of hosts reaches the settings of chrony [I8]', async (t) => {
    const room = await openScriptRoom(t);
    const offered = (ntpsrv: string) => {
      room.run('sh /usr/share/udhcpc/default.script bound', { interface: 'lo', ip: '192.0.2.9', ntpsrv });
      return room.read('run/chrony-dhcp/lo.sources');
    };
    assert.equal(offered('192.0.2.1'), 'server 192.0.2.1 iburst prefer\n');
    for (const bad of [
      ...['', ' ', '0.0.0.0', '127.0.0.1', '224.0.1.1', '255.255.255.255', '300.1.1.1', '1.2.3.256'],
      ...['1.2.3', '1.2.3.4.5', '1..2.3', '01.2.3.4', '1.2.3.4/24', '1.2.3.1e1', '0x1.2.3.4', '-1.2.3.4'],
      ...['time.example', '*', '/etc/*', '$(reboot)', '`reboot`', '1.2.3.4;allow', '::1', '2001:db8::1'],
      'allow\nlocal\nmailonchange',
    ])
      assert.equal(offered(bad), '', bad);
    // A word between the others costs that word alone, and a line of its own is no line of the settings.
    assert.equal(
      offered('192.0.2.1 * allow\n192.0.2.2\nallow 192.0.2.3'),
      ['1', '2', '3'].map((end) => `server 192.0.2.${end} iburst prefer\n`).join(''),
    );
    const many = Array.from({ length: 60 }, (_, index) => `192.0.2.${index + 1}`).join(' ');
    assert.equal(offered(many)?.split('\n').length, 9);
    assert.equal(offered(''), '');
  });
});
