// Plugins on the booted appliance: cgroup v2, namespaces and system call filter of a real kernel, from the signed bundle to the broker;
// and what hostile ones try, beside a healthy one that misses no event.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { buildPlugin } from '../../src/cli/plugin/build-plugin.ts';
import type { CloudEvent } from '../../src/contracts/event.ts';
import type { RunnerResult } from '../plugins/attack-runner.ts';
import { type Attack, attackCode, attacks } from '../plugins/attacks.ts';
import { type GuestPlugins, guestPlugins, putFile } from '../plugins/guest-plugins.ts';
import { seer, signBundle, signedPlugin } from '../plugins/test-plugins.ts';
import { type Guest, hostFromGuest, startGuest } from '../support/guest.ts';
import { buildGuestImage, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { type Subscriber, startSubscriber } from '../support/mqtt-subscriber.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

/** Quiet: seconds. */
const LIMIT_MS = 240_000;
const secret = '/var/lib/autoweave/planted-secret';
const port = 4_001;

suite('plugins in a booted guest', { skip: whyNoGuest() }, () => {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = { after: (step) => void undo.push(step as () => unknown) };
  let guest: Guest;
  let plugins: GuestPlugins;
  let subscriber: Subscriber;
  let plugs = 0;

  before(async () => {
    const image = await buildGuestImage();
    const broker = await startMosquitto(cleanup);
    subscriber = await startSubscriber(cleanup, broker.url);
    guest = await startGuest(cleanup, {
      image,
      until: 'daemon',
      config: {
        uplink: { url: `mqtt://${hostFromGuest}:${broker.port}`, backoffMinMs: 100, backoffMaxMs: 1_000 },
        usb: { portBurst: 10_000 },
        status: { listen: '0.0.0.0', public: 'all' },
      },
    });
    plugins = await guestPlugins(guest);
    await putFile(guest, '/tmp/attack-runner.mjs', attackRunner());
    await guest.shell.must(`echo planted >${secret} && chown autoweave ${secret} && chmod 600 ${secret}`);
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  const events = () => {
    const all = subscriber.messages
      .filter(({ topic }) => topic.includes('/event/'))
      .map(({ payload }) => JSON.parse(payload) as CloudEvent);
    return [...new Map(all.map((event) => [event.id, event])).values()];
  };
  const ofType = (type: string) => events().filter((event) => event.type === type);
  const arrived = (what: string, matches: (event: CloudEvent) => boolean) =>
    until(what, () => events().find(matches), LIMIT_MS);
  const plugOnce = async () => {
    plugs += 1;
    await guest.devices.plug('keyboard');
    await until('it is told', () => ofType('usb.device.added').length >= plugs, LIMIT_MS);
    await guest.devices.unplug('keyboard');
    await until('it is gone', () => ofType('usb.device.removed').length >= plugs, LIMIT_MS);
  };
  /** The runner as the runtime's user, in the runtime's cgroup, as the daemon would be. */
  const runAttack = async (attack: Attack, without: readonly string[]): Promise<RunnerResult> => {
    const code = attackCode(attack, { PORT: String(port), SECRET: secret });
    const job = JSON.stringify({
      code,
      resources: attack.resources,
      without,
      port,
      seconds: attack.name === 'busy loop' ? 10 : 90,
    });
    await putFile(guest, '/tmp/job.json', Buffer.from(job));
    const answer = await guest.shell.must(
      `echo $$ >/sys/fs/cgroup/edge/main/cgroup.procs
       exec setpriv --reuid=101 --regid=101 --clear-groups node /tmp/attack-runner.mjs /tmp/job.json`,
      LIMIT_MS,
    );
    return JSON.parse(answer) as RunnerResult;
  };

  test('a plugin installed with the command line runs inside all its limits, and its event reaches the broker [P5]', async (t) => {
    const file = await plugins.put(await signedPlugin({ code: seer }));
    const { code, stderr, stdout } = await guest.shell.run(`autoweave plugin install ${file}`, LIMIT_MS);
    assert.equal(code, 0, stdout + stderr);
    const status = await plugins.inState('probe', 'running');
    assert.deepEqual(status.isolation, { complete: true, missing: [] });
    await plugOnce();
    const seen = await arrived('the plugin saw it', ({ type }) => type === 'plugin.probe.seen');
    assert.equal(seen.data.subject, 'usb/1-1');
    t.diagnostic(`memory charged to its leaf: ${status.memoryBytes} bytes`);
    const leaf = '/sys/fs/cgroup/edge/plugins/probe';
    const limits = await guest.shell.must(
      `cd ${leaf} && cat memory.max memory.swap.max cpu.max pids.max memory.oom.group`,
    );
    assert.equal(limits, '134217728\n0\n50000 100000\n48\n1\n');
  });

  test('every process of a plugin is in its leaf, under the filter, without capabilities, before Node runs [P5]', async () => {
    const facts = await guest.shell.must(`
      for pid in $(cat /sys/fs/cgroup/edge/plugins/probe/cgroup.procs); do
        [ "$(readlink "/proc/$pid/exe")" = /usr/bin/node ] || continue
        grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$pid/status"; readlink "/proc/$pid/ns/net"; readlink /proc/1/ns/net
      done`);
    assert.match(facts, /^CapEff:\s+0{16}$/m);
    assert.match(facts, /^CapBnd:\s+0{16}$/m);
    assert.match(facts, /^NoNewPrivs:\s+1$/m);
    assert.match(facts, /^Seccomp:\s+2$/m);
    const [own, init] = facts.match(/net:\[\d+\]/g) ?? [];
    assert.notEqual(own, init);
    // The launcher joins first: where it cannot, no Node is started at all.
    const refused = await guest.shell.run(
      `setpriv --reuid=101 --regid=101 --clear-groups sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' /sys/fs/cgroup/edge/plugins/none node -e 'console.log("ran")'`,
    );
    assert.notEqual(refused.code, 0);
    assert.doesNotMatch(refused.stdout, /ran/);
  });

  test('a limit that cannot be set keeps the plugin from starting, and the reason names it [P5]', async () => {
    const resources = {
      memoryMaxBytes: 67_108_864,
      cpuMaxPercent: 30,
      pidsMax: 32,
      ioBytesPerSecond: 1_048_576,
    };
    await guest.shell.must('echo -io >/sys/fs/cgroup/edge/plugins/cgroup.subtree_control');
    const { body } = await plugins.install(await signedPlugin({ code: seer, name: 'limited', resources }));
    assert.equal(body.plugin?.state, 'blocked');
    assert.equal(body.plugin.code, 'plugins.limit-not-set');
    assert.match(body.plugin.reason, /io\.max/);
    assert.equal((await guest.shell.run('ls -d /sys/fs/cgroup/edge/plugins/limited')).code === 0, false);
    await plugins.ask('DELETE', '/api/v1/plugins/limited');
  });

  test('bytes that the host sends into a serial adapter arrive at the broker as weights [P12]', async () => {
    const built = await buildPlugin(path.resolve('plugins/serial-scale'));
    const { name, version } = built.manifest;
    const signature = await signBundle(built.bytes);
    await plugins.install({ name, version, bytes: built.bytes, signature });
    await plugins.inState(name, 'running');
    const dir = await tempDir(cleanup);
    const socketPath = path.join(dir, 'scale');
    await guest.devices.plugSerialLine(socketPath);
    await arrived('the port is open', ({ type }) => type === 'plugin.serial-scale.connected');
    const line = connect(socketPath);
    await once(line, 'connect');
    const say = (text: string, times: number) => line.write(text.repeat(times));
    say('ST,GS,   0.000kg\r\n', 4);
    say('US,GS,+  0.700kg\r\n', 2);
    say('ST,GS,+  1.234kg\r\n', 5);
    say('S S        250.0 g\r\n', 4);
    say('ST,GS,   0.000kg\r\n', 4);
    await arrived('the empty scale', ({ type }) => type === 'plugin.serial-scale.empty');
    line.destroy();
    await guest.devices.unplug('serial');
    await arrived('the port is gone', ({ type }) => type === 'plugin.serial-scale.disconnected');
    const told = events().filter(({ subject }) => subject === 'plugin/serial-scale');
    assert.deepEqual(
      told
        .filter(({ type }) => type.startsWith('plugin.serial-scale.'))
        .map(({ data, type }) => [
          type.slice('plugin.serial-scale.'.length),
          data.value,
          data.unit,
          data.device,
        ]),
      [
        ['connected', undefined, undefined, 'usb/1-5'],
        ['weight', 1.234, 'kg', 'usb/1-5'],
        ['weight', 250, 'g', 'usb/1-5'],
        ['empty', undefined, 'kg', 'usb/1-5'],
        ['disconnected', undefined, undefined, 'usb/1-5'],
      ],
    );
    await plugins.ask('DELETE', '/api/v1/plugins/serial-scale');
  });

  test('each attack gets through without the layer that stops it, and not with it [P6]', async (t) => {
    const sandboxed = attacks.filter(
      ({ without }) =>
        !without.some((layer) => layer.includes('rate') || ['schema', 'frame-size', 'depth'].includes(layer)),
    );
    const wrong: string[] = [];
    for (const attack of sandboxed) {
      const bare = await runAttack(attack, attack.without);
      const held = await runAttack(attack, []);
      const isThrough = (result: RunnerResult) =>
        attack.name === 'busy loop'
          ? result.cpuPercent > attack.resources.cpuMaxPercent * 1.3
          : result.reached !== null;
      const show = ({ cpuPercent, ended, oomKills, reached, refusedPids }: RunnerResult) =>
        reached ?? `${ended ?? 'goes on'}, cpu ${cpuPercent} %, oom ${oomKills}, refused pids ${refusedPids}`;
      t.diagnostic(
        `${attack.name}: without ${attack.without.join(' and ')}: ${show(bare)}; with all: ${show(held)}`,
      );
      if (!isThrough(bare))
        wrong.push(
          `${attack.name} did not get through without ${attack.without.join()}: ${JSON.stringify(bare)}`,
        );
      if (isThrough(held)) wrong.push(`${attack.name} got through: ${JSON.stringify(held)}`);
    }
    assert.deepEqual(wrong, []);
  });

  test('hostile plugins are contained by the daemon while a healthy one beside them misses no event [P6]', async (t) => {
    const wrong: string[] = [];
    for (const attack of attacks) {
      const code = attackCode(attack, { PORT: String(port), SECRET: secret });
      const permissions = { emit: ['begun'] };
      const subscriptions: string[] = [];
      const name = `attack-${attacks.indexOf(attack)}`;
      const parts = { code, name, permissions, subscriptions, resources: attack.resources };
      const before_ = events().length;
      await plugins.install(await signedPlugin(parts));
      const begun = await arrived(`${attack.name} begins`, ({ type }) => type === `plugin.${name}.begun`);
      await plugOnce();
      const mine = () =>
        events()
          .slice(before_)
          .filter(({ subject }) => subject === `plugin/${name}`);
      const isEnd = ({ type }: CloudEvent) =>
        [
          'security.violation',
          'security.contained',
          'plugin.failed',
          'plugin.blocked',
          'plugin.running',
        ].includes(type);
      const end = await until(`${attack.name} ends`, () => mine().find(isEnd), LIMIT_MS).catch(
        () => undefined,
      );
      const logs = await plugins.logs(name);
      const reached = logs.find(({ text }) => text.startsWith('REACHED'));
      if (reached !== undefined) wrong.push(`${attack.name}: ${reached.text}`);
      if (end === undefined) wrong.push(`${attack.name}: nothing was told of it`);
      const afterMs = end === undefined ? Number.NaN : end.uptimems - begun.uptimems;
      const how =
        end?.type === 'plugin.running'
          ? 'it came to nothing'
          : `${end?.type} ${String(end?.data.what ?? end?.data.code ?? end?.data.layer)}`;
      t.diagnostic(`| ${attack.name} | ${attack.layer} | ${how} | ${afterMs} ms (emulated, busy machine) |`);
      await plugins.ask('DELETE', `/api/v1/plugins/${name}`);
    }
    await until('the healthy plugin saw all', () => ofType('plugin.probe.seen').length >= plugs, LIMIT_MS);
    assert.deepEqual(wrong, []);
    const probe = await plugins.status('probe');
    assert.deepEqual([probe.state, probe.starts, probe.parked], ['running', 1, 0]);
    assert.deepEqual(
      ofType('plugin.probe.seen').map(({ data }) => data.id),
      ofType('usb.device.added').map(({ id }) => id),
    );
    assert.equal(ofType('system.started').length, 1);
    assert.equal(await guest.shell.must('ls /sys/fs/cgroup/edge/plugins | grep attack || true'), '');
  });
});

/** One file for the guest, which has no sources. */
function attackRunner(): Buffer {
  const root = path.resolve(import.meta.dirname, '../..');
  return execFileSync(
    path.join(root, 'node_modules/.bin/esbuild'),
    [
      'test/plugins/attack-runner.ts',
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--target=node24',
      '--log-level=warning',
    ],
    { cwd: root },
  );
}
