// A box on which everything is well, and then one fault after the other: each must be found, with what to do about it.
import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { before, suite, test } from 'node:test';
import { runCli } from '../../../src/cli/run-cli.ts';
import type { Finding } from '../../../src/operate/doctor/finding.ts';
import { ensurePageCertificate } from '../../../src/operate/identity/page-certificate.ts';
import { writeTrust } from '../../plugins/test-plugins.ts';
import { healthy, startFixture } from '../../status/status-fixture.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { startMosquitto } from '../../support/mosquitto.ts';
import { startRedis } from '../../support/redis.ts';
import { suiteCleanup } from '../../support/suite-cleanup.ts';
import { tempDir } from '../../support/temp-dir.ts';

/** What a healthy kernel and system say. */
const machine: Readonly<Record<string, string>> = {
  'proc/meminfo': 'MemTotal: 2000000 kB\nMemAvailable:   900000 kB\n',
  'proc/sys/user/max_user_namespaces': '15000\n',
  'proc/sys/net/core/rmem_max': '134217728\n',
  'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  'sys/block/mmcblk0/device/life_time': '0x02 0x01\n',
  'sys/class/watchdog/watchdog0/identity': 'i6300ESB timer\n',
  'run/udev/control': '',
  'usr/lib/udev/rules.d/90-autoweave.rules': '',
  'run/autoweave-spool/usb': '',
};

const dayMs = 86_400_000;

type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

suite('autoweave doctor', () => {
  const cleanup = suiteCleanup();

  async function makeBox() {
    const dir = await tempDir(cleanup);
    const root = path.join(dir, 'root');
    const set = async (file: string, content: string) => {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
      await writeFile(path.join(root, file), content);
    };
    for (const [file, content] of Object.entries(machine)) await set(file, content);
    const stateDir = path.join(dir, 'state');
    await mkdir(stateDir);
    await writeTrust(stateDir);
    const authority = await makeAuthority(dir, 'authority');
    const [server, client, ended] = [
      await authority.issue('broker', { days: 1 }),
      await authority.issue('box', { days: 1 }),
      await authority.issue('old', { days: -1 }),
    ];
    const broker = await startMosquitto(cleanup, {
      config: [`certfile ${server.cert}`, `keyfile ${server.key}`],
    });
    const redis = await startRedis(cleanup);
    const page = await startFixture(cleanup, { health: () => healthy });
    const settings: Settings = {
      appliance: { stateDir },
      buffer: { redisSocket: redis.socket },
      uplink: {
        url: `mqtts://127.0.0.1:${broker.port}`,
        caFile: authority.cert,
        certFile: client.cert,
        keyFile: client.key,
      },
      status: { port: Number(new URL(page.server.url).port) },
      usb: { spoolFile: '/run/autoweave-spool/usb' },
    };
    await chmod(client.key, 0o600);
    const examine = async (changes: Settings = {}) => {
      const file = path.join(dir, 'autoweave.json');
      const merged = Object.fromEntries(
        Object.entries(settings).map(([section, values]) => [section, { ...values, ...changes[section] }]),
      );
      await writeFile(file, JSON.stringify({ ...changes, ...merged }));
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const argv = ['doctor', '--config', file, '--root', root, '--json'];
      const code = await runCli({ argv, environment: {}, stdout, stderr });
      stdout.end();
      stderr.end();
      assert.equal(await text(stderr), '');
      return { code, findings: JSON.parse(await text(stdout)) as readonly Finding[] };
    };
    return { authority, broker, dir, ended, examine, redis, root, set, server, stateDir };
  }

  type Box = Awaited<ReturnType<typeof makeBox>>;
  let box: Box;

  const faults: readonly {
    readonly check: string;
    readonly what: string;
    readonly plant: (box: Box) => Promise<unknown>;
    readonly mend?: (box: Box) => Promise<unknown>;
    readonly why: RegExp;
    readonly remedy: RegExp;
  }[] = [
    {
      check: 'configuration',
      what: 'a misspelt key',
      plant: async () => ({ appliance: { nane: 'till' } }),
      why: /appliance\.nane/,
      remedy: /name/,
    },
    {
      check: 'appliance',
      what: 'a page that does not answer',
      plant: async () => ({ status: { port: 1 } }),
      why: /nothing answers at http:\/\/127\.0\.0\.1:1/,
      remedy: /rc-service autoweave start/,
    },
    {
      check: 'disk',
      what: 'a missing state folder',
      plant: async ({ stateDir }) => ({ appliance: { stateDir: `${stateDir}-gone` } }),
      why: /state-gone does not exist/,
      remedy: /create the folder/,
    },
    {
      check: 'flash-wear',
      what: 'a worn eMMC',
      plant: async ({ set }) => set('sys/block/mmcblk0/device/life_time', '0x0b 0x02\n'),
      mend: ({ set }) => set('sys/block/mmcblk0/device/life_time', '0x02 0x01\n'),
      why: /mmcblk0 is worn beyond its life/,
      remedy: /Replace the flash/,
    },
    {
      check: 'memory',
      what: 'memory used up',
      plant: ({ set }) => set('proc/meminfo', 'MemAvailable: 20000 kB\n'),
      mend: ({ set }) => set('proc/meminfo', machine['proc/meminfo'] ?? ''),
      why: /20 MiB of memory/,
      remedy: /512 MiB/,
    },
    {
      check: 'cgroups',
      what: 'no memory controller',
      plant: ({ set }) => set('sys/fs/cgroup/cgroup.controllers', 'cpu pids\n'),
      mend: ({ set }) => set('sys/fs/cgroup/cgroup.controllers', 'cpu memory pids\n'),
      why: /without memory/,
      remedy: /cgroup_enable=memory/,
    },
    {
      check: 'namespaces',
      what: 'user namespaces switched off',
      plant: ({ set }) => set('proc/sys/kernel/unprivileged_userns_clone', '0\n'),
      mend: ({ set }) => set('proc/sys/kernel/unprivileged_userns_clone', '1\n'),
      why: /unprivileged_userns_clone is 0/,
      remedy: /sysctl -w kernel\.unprivileged_userns_clone=1/,
    },
    {
      check: 'udev',
      what: 'no udevd',
      plant: ({ root }) => rm(path.join(root, 'run/udev/control')),
      mend: ({ set }) => set('run/udev/control', ''),
      why: /udevd does not run/,
      remedy: /Start systemd-udevd/,
    },
    {
      check: 'redis',
      what: 'Redis is not there',
      plant: async ({ dir }) => ({ buffer: { redisSocket: path.join(dir, 'nobody.sock') } }),
      why: /ENOENT/,
      remedy: /Start what is asked for/,
    },
    {
      check: 'redis',
      what: 'Redis hangs',
      plant: async ({ redis }) => process.kill(redis.pid, 'SIGSTOP'),
      mend: async ({ redis }) => process.kill(redis.pid, 'SIGCONT'),
      why: /no answer within 5 s/,
      remedy: /look again/,
    },
    {
      check: 'broker',
      what: 'a broker of an unknown authority',
      plant: async ({ dir }) => ({ uplink: { caFile: (await makeAuthority(dir, 'other')).cert } }),
      why: /certificate of 127\.0\.0\.1:\d+ is not accepted/,
      remedy: /uplink\.caFile/,
    },
    {
      check: 'broker',
      what: 'nobody at the port of the broker',
      plant: async () => ({ uplink: { url: 'mqtts://127.0.0.1:1' } }),
      why: /127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/,
      remedy: /firewall/,
    },
    {
      check: 'certificates',
      what: 'a certificate that has ended',
      plant: async ({ ended }) => ({ uplink: { certFile: ended.cert, keyFile: ended.key } }),
      why: /ended \d+ days? ago/,
      remedy: /new one signed/,
    },
    {
      check: 'certificates',
      what: 'the key of another certificate',
      plant: async ({ server }) => {
        await chmod(server.key, 0o600);
        return { uplink: { keyFile: server.key } };
      },
      why: /is not the key of/,
      remedy: /the certificate was requested with/,
    },
    {
      check: 'certificates',
      what: 'an authority of a webhook that is not there',
      plant: async ({ dir }) => {
        const hook = { name: 'till', url: 'https://till.example/', secret: `whsec_${'A'.repeat(44)}` };
        return { uplink: { webhooks: [{ ...hook, caFile: path.join(dir, 'none.pem') }] } };
      },
      why: /none\.pem cannot be read/,
      remedy: /Correct the path/,
    },
    {
      check: 'certificates',
      what: 'a certificate of the page that is damaged',
      plant: async ({ stateDir }) => {
        await writeFile(path.join(stateDir, 'page-tls.pem'), 'half of one');
        return { status: { tls: true } };
      },
      mend: ({ stateDir }) => rm(path.join(stateDir, 'page-tls.pem')),
      why: /key and certificate do not fit/,
      remedy: /Remove the file/,
    },
    {
      check: 'trust',
      what: 'a trust document that has expired',
      plant: ({ stateDir }) => writeTrust(stateDir, { expiresMs: Date.now() - 3 * dayMs }),
      mend: ({ stateDir }) => writeTrust(stateDir),
      why: /version \d+ expired .* nothing new is accepted/,
      remedy: /autoweave trust install FILE/,
    },
    {
      check: 'trust',
      what: 'a trust document that was changed',
      plant: async ({ stateDir }) => {
        const file = path.join(stateDir, 'trust/trust.json');
        const text = await readFile(file, 'utf8');
        await writeFile(file, text.replace('publisher', 'publishes'));
      },
      mend: ({ stateDir }) => writeTrust(stateDir),
      why: /counts for nothing: trust\.[a-z-]+: /,
      remedy: /trust install --first/,
    },
  ];

  before(async () => {
    box = await makeBox();
  });

  test('a box on which all is well has no fault [M5]', async () => {
    const { code, findings } = await box.examine();
    assert.deepEqual(
      findings.filter(({ verdict }) => verdict === 'fault'),
      [],
    );
    assert.equal(code, 0);
    assert.equal(findings.find(({ check }) => check === 'redis')?.verdict, 'ok');
    assert.equal(findings.find(({ check }) => check === 'broker')?.verdict, 'ok');
    assert.equal(findings.find(({ check }) => check === 'appliance')?.verdict, 'ok');
  });

  for (const [what, plant, why] of [
    [
      'no trust document',
      (dir: string) => rm(path.join(dir, 'trust'), { recursive: true }),
      /nobody is trusted/,
    ],
    [
      'a trust document that is about to expire',
      (dir: string) => writeTrust(dir, { expiresMs: Date.now() + 9 * dayMs }),
      /counts for 8 days more/,
    ],
  ] as const) {
    test(`${what} wants attention and is no fault [M5]`, async () => {
      await plant(box.stateDir);
      const { code, findings } = await box.examine();
      await writeTrust(box.stateDir);
      const found = findings.find(({ check, verdict }) => check === 'trust' && verdict === 'attention');
      assert.match(found?.why ?? JSON.stringify(findings), why);
      assert.match(found?.remedy ?? '', /autoweave trust install/);
      assert.equal(code, 0);
    });
  }

  test('a page over HTTPS is asked with its own certificate, and one for another name is told [M5]', async () => {
    const tls = await ensurePageCertificate(box.stateDir);
    const page = await startFixture(cleanup, { health: () => healthy, status: { tls: true }, tls });
    const status = { tls: true, port: page.server.port };
    await box.set('proc/sys/kernel/hostname', 'localhost');
    const good = await box.examine({ status });
    await box.set('proc/sys/kernel/hostname', 'till-9');
    const renamed = await box.examine({ status });
    for (const file of [
      path.join(box.stateDir, 'page-tls.pem'),
      path.join(box.root, 'proc/sys/kernel/hostname'),
    ])
      await rm(file);
    assert.equal(good.code, 0, JSON.stringify(good.findings, null, 2));
    assert.match(whyOf(good.findings, 'appliance'), /^it runs at https:/);
    assert.match(
      whyOf(good.findings, 'certificates'),
      /the page has a certificate of its own, SHA-256 [0-9A-F:]{95}/,
    );
    assert.match(whyOf(renamed.findings, 'certificates'), /and this is called till-9: browsers warn/);
  });

  const whyOf = (findings: readonly Finding[], check: string) =>
    findings
      .filter((one) => one.check === check)
      .map(({ why }) => why)
      .join('\n');

  for (const { check, mend, plant, remedy, what, why } of faults) {
    test(`${what}: the check of ${check} says so, and what to do [M5]`, async () => {
      const changes = await plant(box);
      const { code, findings } = await box.examine((changes ?? {}) as Settings);
      await mend?.(box);
      const found = findings.filter((one) => one.check === check && one.verdict === 'fault');
      assert.ok(
        found.some((one) => why.test(one.why) && remedy.test(one.remedy ?? '')),
        JSON.stringify(found, null, 2),
      );
      assert.equal(code, 1);
    });
  }
});
