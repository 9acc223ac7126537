import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { provision } from '../../src/cli/provision.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { trustText } from '../plugins/test-plugins.ts';
import { makeAuthority } from '../support/certificates.ts';
import { tempDir } from '../support/temp-dir.ts';

async function makeBox(t: TestContext) {
  const dir = await tempDir(t);
  const [state, made, offer] = ['state', 'made', 'CONFIG'].map((name) => path.join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [state, offer]) mkdirSync(folder);
  const fallback = path.join(dir, 'default.json');
  writeFileSync(fallback, '{ "status": { "listen": "0.0.0.0" } }\n');
  const closed = path.join(dir, 'closed.json');
  writeFileSync(closed, readFileSync('rootfs/etc/autoweave/closed.json'));
  const offered = path.join(offer, 'autoweave.json');
  return {
    state,
    offer,
    offered,
    machine: path.join(dir, 'machine.json'),
    write: (file: string, content: unknown) => writeFileSync(file, JSON.stringify(content)),
    made: (name: string) =>
      existsSync(path.join(made, name)) ? readFileSync(path.join(made, name), 'utf8') : null,
    /** As at every start: the folder of the last one is gone. */
    async start(...more: string[]) {
      rmSync(made, { recursive: true, force: true });
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const places = ['--state', state, '--default', fallback, '--closed', closed, '--to', made];
      const argv = ['boot-settings', ...places, ...more];
      const code = await runCli({ argv, environment: {}, stdout, stderr });
      stderr.end();
      return {
        code,
        notes: (await text(stderr))
          .split('\n')
          .slice(0, -1)
          .map((line) => line.split('\t')),
      };
    },
  };
}

test('without any settings the appliance runs with its defaults and asks DHCP [I5, I8]', async (t) => {
  const box = await makeBox(t);
  assert.deepEqual(await box.start(), { code: 0, notes: [] });
  assert.equal(box.made('origin'), 'default\n');
  assert.equal(box.made('interfaces'), '*\tdhcp\t-\tauto\t-\n');
  assert.equal(box.made('resolv.conf'), null);
  assert.equal(box.made('hostname'), 'appliance\n');
  // What DHCP names is asked besides.
  assert.match(
    box.made('chrony.conf') ?? '',
    /^pool pool\.ntp\.org port 123 iburst\nsourcedir \/run\/chrony-dhcp\n/,
  );
});

test('what is offered is imported, and in force at every later start without it [I5]', async (t) => {
  const box = await makeBox(t);
  box.write(box.offered, {
    appliance: { name: 'Till_3.' },
    uplink: { url: 'mqtt://b', username: 'u', password: 'hush' },
    network: {
      ...{ address: 'none', address6: '2001:db8::20/64', gateway6: 'fe80::1' },
      dns: ['192.0.2.1', '2001:db8::1'],
      interfaces: [{ name: 'eth1', address: '10.1.2.3/16', gateway: '10.1.0.1' }],
    },
    time: { servers: ['time.example:1123', '[2001:db8::2]:123'] },
    status: { port: 8000 },
  });
  for (const more of [['--offered', box.offered], []]) {
    assert.deepEqual(await box.start(...more), { code: 0, notes: [] });
    assert.equal(box.made('origin'), 'provisioned\n');
    assert.equal(box.made('hostname'), 'till-3\n');
    assert.equal(box.made('page-port'), '8000\n');
    assert.equal(box.made('redis-fsync'), 'always\n');
    assert.equal(
      box.made('interfaces'),
      'eth1\t10.1.2.3/16\t10.1.0.1\tauto\t-\n*\tnone\t-\t2001:db8::20/64\tfe80::1\n',
    );
    assert.equal(box.made('resolv.conf'), 'nameserver 192.0.2.1\nnameserver 2001:db8::1\n');
    assert.match(
      box.made('chrony.conf') ?? '',
      /^server time\.example port 1123 iburst\nserver 2001:db8::2 port 123 iburst\n/,
    );
    assert.doesNotMatch(box.made('chrony.conf') ?? '', /sourcedir|pool/);
    assert.doesNotMatch(box.made('autoweave.json') ?? '', /hush/);
  }
  assert.match(readFileSync(path.join(box.state, 'secrets.json'), 'utf8'), /hush/);
});

test('a network that cannot work is refused with its field before it is tried, and what was in force stays [I8]', async (t) => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ network: { address: '192.168.1.0/24' } }, 'network.address'],
    [{ network: { address: '192.168.1.255/24' } }, 'network.address'],
    [{ network: { address: '127.0.0.1/8' } }, 'network.address'],
    [{ network: { address: '224.0.0.1/4' } }, 'network.address'],
    [{ network: { address: '192.168.1.300/24' } }, 'network.address'],
    [{ network: { address: '192.168.1.3/33' } }, 'network.address'],
    [{ network: { address: '192.168.1.3' } }, 'network.address'],
    [{ network: { address: '192.168.1.3/08' } }, 'network.address'],
    [{ network: { gateway: '192.168.1.1' } }, 'network.gateway'],
    [{ network: { address: 'none', gateway: '192.168.1.1' } }, 'network.gateway'],
    [{ network: { address: '192.168.1.3/24', gateway: '192.168.2.1' } }, 'network.gateway'],
    [{ network: { address: '192.168.1.3/24', gateway: '192.168.1.3' } }, 'network.gateway'],
    [{ network: { dns: ['192.0.2.1', '1.2.3'] } }, 'network.dns.1'],
    [{ network: { interfaces: [{ name: 'lo', address: 'dhcp' }] } }, 'network.interfaces.0.name'],
    [
      {
        network: {
          interfaces: [
            { name: 'eth0', address: 'dhcp' },
            { name: 'eth0', address: 'dhcp' },
          ],
        },
      },
      'network.interfaces.1.name',
    ],
    [{ network: { interfaces: [{ name: 'a b', address: 'dhcp' }] } }, 'network.interfaces.0.name'],
    [{ time: { servers: ['a:b:c'] } }, 'time.servers.0'],
    [{ time: { servers: ['-x.example'] } }, 'time.servers.0'],
    [{ time: { servers: ['host:0'] } }, 'time.servers.0'],
    [{ time: { servers: ['host\nallow'] } }, 'time.servers.0'],
    [{ appliance: { watchdogDevice: '/dev/sda' } }, 'appliance.watchdogDevice'],
  ];
  const box = await makeBox(t);
  box.write(box.offered, { appliance: { name: 'before' } });
  await box.start('--offered', box.offered);
  for (const [content, field] of wrong) {
    box.write(box.offered, content);
    const { code, notes } = await box.start('--offered', box.offered);
    assert.equal(code, 1, field);
    assert.deepEqual(
      notes.map(([, found]) => found),
      [field],
      JSON.stringify(notes),
    );
    assert.equal(box.made('hostname'), 'before\n');
    assert.equal(box.made('origin'), 'provisioned\n');
  }
});

test('an IPv6 address that cannot work is refused with what is wrong with it and what to write [I8, Q3]', async (t) => {
  const wrong: readonly (readonly [object, string, string, RegExp])[] = [
    [{ address6: '2001:db8::20' }, 'config.not-allowed', 'address6', /which has no prefix\. .*::20\/64/],
    [{ address6: '2001:db8::20/0' }, 'config.not-allowed', 'address6', /a prefix beyond 1 to 128/],
    [{ address6: '2001:db8::20/129' }, 'config.not-allowed', 'address6', /a prefix beyond/],
    // Octal to the program that is given it.
    [{ address6: '2001:db8::20/064' }, 'config.not-allowed', 'address6', /a prefix beyond/],
    [{ address6: '2001:db8:::20/64' }, 'config.not-allowed', 'address6', /is no IPv6 address/],
    [{ address6: '2001:db8::fffff/64' }, 'config.not-allowed', 'address6', /is no IPv6 address/],
    [{ address6: '192.168.1.20/24' }, 'config.not-allowed', 'address6', /is no IPv6 address/],
    [{ address6: '::1/128' }, 'config.not-allowed', 'address6', /is unspecified, loopback/],
    [{ address6: '::ffff:192.0.2.1/96' }, 'config.not-allowed', 'address6', /stands for IPv4/],
    [{ address6: 'ff02::1/64' }, 'config.not-allowed', 'address6', /is multicast/],
    [{ address6: 'fe80::20/64' }, 'config.not-allowed', 'address6', /is link-local, which every interface/],
    [{ address6: 'fe80::20%eth0/64' }, 'config.not-allowed', 'address6', /must be text that matches/],
    [{ address6: '2001:db8::/64' }, 'config.not-allowed', 'address6', /is that of the network itself/],
    [{ address6: '2001:db8::20/64\tx' }, 'config.not-allowed', 'address6', /must be text that matches/],
    [{ address6: ['2001:db8::20/64'] }, 'config.wrong-type', 'address6', /must be text/],
    [{ gateway6: '2001:db8::1' }, 'config.conflict', 'gateway6', /address6 is auto.* Set network\.address6/],
    [
      { address6: '2001:db8::20/64', gateway6: '2001:db8:0:1::1' },
      ...['config.conflict', 'gateway6'],
      /neither link-local nor another address of the network of 2001:db8::20\/64\. Correct one/,
    ],
    [{ address6: '2001:db8::20/64', gateway6: '2001:db8:0::20' }, 'config.conflict', 'gateway6', /neither/],
    [{ address6: '2001:db8::20/64', gateway6: '192.0.2.1' }, 'config.not-allowed', 'gateway6', /is no IPv6/],
    // The other family's field is named.
    [{ address: '2001:db8::20/64' }, 'config.not-allowed', 'address', /Set network\.address6 to it/],
    [{ dns: ['fe80::1'] }, 'config.not-allowed', 'dns.0', /nothing says by which interface/],
    [
      { interfaces: [{ name: 'eth1', address6: 'ff02::1/64' }] },
      ...['config.not-allowed', 'interfaces.0.address6'],
      /is multicast/,
    ],
  ] as const;
  const box = await makeBox(t);
  for (const [network, code, field, text] of wrong) {
    box.write(box.offered, { network });
    const { notes } = await box.start('--offered', box.offered);
    assert.deepEqual(
      notes.map(([found, place]) => [found, place]),
      [[code, `network.${field}`]],
      JSON.stringify(notes),
    );
    assert.match(notes[0]?.[2] ?? '', text);
  }
});

test('IPv6 addresses are taken as people write them [I8]', async (t) => {
  const box = await makeBox(t);
  for (const network of [
    { address6: '2001:DB8:0:0:0:0:0:20/64', gateway6: '2001:db8::1' },
    { address6: '2001:db8::192.0.2.1/64', gateway6: 'FE80::1' },
    { address6: 'fd00::1:2/127', gateway6: 'fd00::1:3' },
    { address6: 'fd00::1:2/128', gateway6: 'fe80::1' },
    { address6: 'fd00::1/1' },
    { address6: 'auto' },
  ]) {
    box.write(box.offered, { network });
    assert.deepEqual(await box.start('--offered', box.offered), { code: 0, notes: [] });
    const { address6, gateway6 = '-' } = network;
    assert.equal(box.made('interfaces'), `*\tdhcp\t-\t${address6}\t${gateway6}\n`);
  }
});

test('with an empty list of time servers none is asked, not even one that DHCP names [I8]', async (t) => {
  const box = await makeBox(t);
  box.write(box.offered, { time: { servers: [] } });
  assert.deepEqual(await box.start('--offered', box.offered), { code: 0, notes: [] });
  assert.equal(box.made('chrony.conf'), null);
});

test('a machine whose owner gives the settings takes no others, and wrong ones leave it with its own [I5]', async (t) => {
  const box = await makeBox(t);
  box.write(box.machine, { appliance: { name: 'virtual' }, usb: { debounceMs: 0 } });
  box.write(box.offered, { appliance: { name: 'offered' } });
  await box.start('--machine', box.machine, '--offered', box.offered);
  assert.equal(box.made('hostname'), 'virtual\n');
  assert.equal(box.made('origin'), 'machine\n');
  writeFileSync(box.machine, '{');
  const { code, notes } = await box.start('--machine', box.machine);
  assert.equal(code, 1);
  assert.equal(notes[0]?.[0], 'config.not-json');
  assert.equal(box.made('origin'), 'default\n');
});

test('stored settings that were damaged are said, and the defaults are used [I3, I5]', async (t) => {
  const box = await makeBox(t);
  writeFileSync(path.join(box.state, 'autoweave.json'), '{"appliance":');
  const { code, notes } = await box.start();
  assert.equal(code, 1);
  assert.equal(notes[0]?.[0], 'config.not-json');
  assert.equal(box.made('origin'), 'default\n');
});

test('a certificate beside the settings is taken when it is for the own key, and refused when it is not [I5]', async (t) => {
  const box = await makeBox(t);
  box.write(box.offered, {});
  await box.start('--offered', box.offered);
  const authority = await makeAuthority(box.state, 'centre');
  copyFileSync(
    await authority.sign(path.join(box.state, 'identity.csr')),
    path.join(box.offer, 'identity.crt'),
  );
  copyFileSync(authority.cert, path.join(box.offer, 'broker-ca.crt'));
  assert.deepEqual(await box.start('--offered', box.offered), { code: 0, notes: [] });
  const taken = path.join(box.state, 'identity.crt');
  assert.match(
    execFileSync('openssl', ['verify', '-CAfile', path.join(box.state, 'broker-ca.crt'), taken], {
      encoding: 'utf8',
    }),
    /OK/,
  );
  const before = readFileSync(taken, 'utf8');

  copyFileSync((await authority.issue('other')).cert, path.join(box.offer, 'identity.crt'));
  const { notes } = await box.start('--offered', box.offered);
  assert.match(notes[0]?.join(' ') ?? '', /^operate\.bad-certificate .* it is not for this appliance's key/);
  writeFileSync(path.join(box.offer, 'identity.crt'), 'nonsense');
  assert.match(
    (await box.start('--offered', box.offered)).notes[0]?.join(' ') ?? '',
    /it is no certificate in PEM format/,
  );
  assert.equal(readFileSync(taken, 'utf8'), before);
});

test('only who was given no settings lets every USB device work: what was refused or cannot be read may have had a policy [I5, U10]', async (t) => {
  const box = await makeBox(t);
  const mode = () => {
    const config = loadConfig({ file: 'x', text: box.made('autoweave.json') ?? '', environment: {} });
    assert.ok(config.ok);
    return config.config.policy.mode;
  };
  await box.start();
  assert.equal(mode(), 'off');
  await box.start('--lost');
  assert.equal(mode(), 'enforce');
  for (const wrong of ['{', '{"policy":{"mode":"enforced"}}', '\u0000']) {
    writeFileSync(box.offered, wrong);
    const { code } = await box.start('--offered', box.offered);
    assert.equal(code, 1);
    assert.equal(box.made('origin'), 'default\n');
    assert.equal(mode(), 'enforce');
  }
  // What was stored before is in force, as its owner wrote it.
  box.write(box.offered, { appliance: { name: 'till-3' } });
  await box.start('--offered', box.offered);
  writeFileSync(box.offered, '{');
  await box.start('--offered', box.offered);
  assert.equal(box.made('origin'), 'provisioned\n');
  assert.equal(mode(), 'off');
  // Stored, and damaged since; or no file at all.
  writeFileSync(path.join(box.state, 'autoweave.json'), '{"appliance":');
  await box.start();
  assert.equal(mode(), 'enforce');
  rmSync(path.join(box.state, 'autoweave.json'));
  mkdirSync(path.join(box.state, 'autoweave.json'));
  await box.start();
  assert.equal(mode(), 'enforce');
});

test('what was changed after an import stays until the file on CONFIG changes too [I5]', async (t) => {
  const box = await makeBox(t);
  const offer = (name: string, password?: string) =>
    box.write(box.offered, {
      appliance: { name },
      uplink: { url: 'mqtt://b', username: 'u', ...(password === undefined ? {} : { password }) },
    });
  const stored = path.join(box.state, 'autoweave.json');
  offer('first', 'hush');
  assert.deepEqual(await box.start('--offered', box.offered), { code: 0, notes: [] });
  // As the page's set-up does.
  box.write(box.machine, { appliance: { name: 'second' } });
  assert.ok((await provision({ from: box.machine, to: box.state, forget: false })).ok);
  assert.deepEqual(await box.start('--offered', box.offered), { code: 0, notes: [] });
  assert.equal(box.made('hostname'), 'second\n');
  // The next trust document and a certificate are nobody's settings.
  writeFileSync(path.join(box.offer, 'trust.json'), await trustText());
  assert.deepEqual(await box.start('--offered', box.offered), { code: 0, notes: [] });
  assert.equal(box.made('hostname'), 'second\n');
  assert.equal(readFileSync(path.join(box.state, 'trust/trust.json'), 'utf8'), await trustText());
  writeFileSync(path.join(box.offer, 'trust.json'), '{');
  assert.equal((await box.start('--offered', box.offered)).code, 1);
  assert.equal(box.made('hostname'), 'second\n');
  rmSync(path.join(box.offer, 'trust.json'));

  offer('third');
  await box.start('--offered', box.offered);
  assert.equal(box.made('hostname'), 'third\n');
  // A password that is given once more counts, although the file was the same before.
  offer('third', 'new');
  await box.start('--offered', box.offered);
  assert.match(readFileSync(path.join(box.state, 'secrets.json'), 'utf8'), /new/);
  // Damaged since: what CONFIG has is better than nothing.
  writeFileSync(stored, '{');
  await box.start('--offered', box.offered);
  assert.equal(box.made('hostname'), 'third\n');
});
