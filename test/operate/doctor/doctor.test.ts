// A box on which everything is well, and then one fault after the other: each must be found, with what to do about it.
import assert from 'node:assert/strict';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { runCli } from '../../../src/cli/run-cli.ts';
import type { Finding } from '../../../src/operate/doctor/finding.ts';
import { healthy, startFixture } from '../../status/status-fixture.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { startMosquitto } from '../../support/mosquitto.ts';
import { startRedis } from '../../support/redis.ts';
import { tempDir } from '../../support/temp-dir.ts';
import type { Cleanup } from '../../support/with-cleanup.ts';

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

type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

suite('autoweave doctor', () => {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = { after: (step) => void undo.push(step as () => unknown) };

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
  ];

  before(async () => {
    box = await makeBox();
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
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
