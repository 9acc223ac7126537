// Plugins on the booted appliance: cgroup v2, namespaces and system call filter of a real kernel, from the signed bundle to the broker.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { before, suite, test } from 'node:test';
import { buildPlugin } from '../../src/cli/plugin/build-plugin.ts';
import { joinLeaf } from '../../src/plugins/sandbox/launch-host.ts';
import { putFile } from '../plugins/guest-plugins.ts';
import { LIMIT_MS, type PluginAppliance, startPluginAppliance } from '../plugins/plugin-appliance.ts';
import { seer, signBundle, signedPlugin } from '../plugins/test-plugins.ts';
import { whyNoGuest } from '../support/guest-image.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

suite('plugins in a booted guest', { skip: whyNoGuest() }, () => {
  const cleanup = suiteCleanup();
  let appliance: PluginAppliance;

  before(async () => {
    appliance = await startPluginAppliance(cleanup);
  });

  test('a plugin installed with the command line runs inside all its limits, and its event reaches the broker [P5]', async (t) => {
    const { arrived, guest, plugOnce, plugins } = appliance;
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

  test('every process of a plugin is in its leaf, under the filter, without capabilities [P5]', async () => {
    const { guest } = appliance;
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
  });

  test('a plugin is in its leaf before the first instruction of Node: in a frozen leaf the launcher stands still, and Node is not there [P5]', async () => {
    const { guest } = appliance;
    await putFile(guest, '/tmp/join', Buffer.from(joinLeaf));
    const report = "console.log(require('fs').readFileSync('/proc/self/cgroup', 'utf8').trim())";
    const said = await guest.shell.must(
      `leaf=/sys/fs/cgroup/edge/plugins/proof
       setpriv --reuid=101 --regid=101 --clear-groups mkdir $leaf && echo 1 >$leaf/cgroup.freeze
       (echo 0 >/sys/fs/cgroup/edge/main/cgroup.procs
        exec setpriv --reuid=101 --regid=101 --clear-groups sh -c "$(cat /tmp/join)" $leaf /usr/bin/node -e "${report}") >/tmp/proof &
       until [ -n "$(cat $leaf/cgroup.procs)" ] && grep -q 'frozen 1' $leaf/cgroup.events; do sleep 0.1; done
       for pid in $(cat $leaf/cgroup.procs); do readlink /proc/$pid/exe; done
       wc -c </tmp/proof
       echo 0 >$leaf/cgroup.freeze; wait; cat /tmp/proof; rmdir $leaf`,
      LIMIT_MS,
    );
    const [program, wrote, place, ...more] = said.trim().split('\n');
    assert.doesNotMatch(program ?? '', /node/);
    assert.deepEqual([wrote, place, more], ['0', '0::/edge/plugins/proof', []]);
    // Where it cannot join, no Node is started at all.
    const refused = await guest.shell.run(
      `setpriv --reuid=101 --regid=101 --clear-groups sh -c "$(cat /tmp/join)" /sys/fs/cgroup/edge/plugins/none node -e 'console.log("ran")'`,
    );
    assert.notEqual(refused.code, 0);
    assert.doesNotMatch(refused.stdout, /ran/);
  });

  test('a limit that cannot be set keeps the plugin from starting, and the reason names it [P5]', async () => {
    const { guest, plugins } = appliance;
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

  test('an event that ends the process with exit code 137 three times is put aside; one whose process others kill with signal 9 is not [P10]', async () => {
    const { arrived, events, guest, plugOnce, plugins } = appliance;
    const leaves = '/sys/fs/cgroup/edge/plugins';
    const fatal = `export default { onEvent() { process.exit(137); } };`;
    const patient = `export default {
      async onEvent(event, { emit }) { await emit('seen', { id: event.id }); await new Promise(() => {}); } };`;
    await plugins.install(await signedPlugin({ name: 'fatal', code: fatal }));
    await plugins.install(await signedPlugin({ name: 'patient', code: patient }));
    await plugOnce();
    for (const round of [1, 2, 3]) {
      await until(
        `the event comes, time ${round}`,
        () => events().filter(({ type }) => type === 'plugin.patient.seen').length === round,
        LIMIT_MS,
      );
      await guest.shell.must(
        `for pid in $(cat ${leaves}/patient/cgroup.procs); do
           [ "$(readlink "/proc/$pid/exe")" = /usr/bin/node ] && kill -9 "$pid"
         done; true`,
      );
      await until(
        `its end is told, time ${round}`,
        () =>
          events().filter(({ subject, type }) => type === 'plugin.failed' && subject === 'plugin/patient')
            .length === round,
        LIMIT_MS,
      );
    }
    const parked = await arrived('the event is put aside', ({ type }) => type === 'plugin.parked');
    assert.deepEqual([parked.data.name, parked.data.tries], ['fatal', 3]);
    const ended = events().find(
      ({ subject, type }) => type === 'plugin.failed' && subject === 'plugin/patient',
    );
    assert.match(String(ended?.data.reason), /exit code 137/);
    assert.equal((await plugins.status('patient')).parked, 0);
    await plugins.ask('DELETE', '/api/v1/plugins/fatal');
    await plugins.ask('DELETE', '/api/v1/plugins/patient');
  });

  test('bytes that the host sends into a serial adapter arrive at the broker as weights [P12]', async () => {
    const { arrived, events, guest, plugins } = appliance;
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
});
