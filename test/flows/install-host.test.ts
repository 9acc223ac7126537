// The shipped file, installed into a host with a real systemd, run, hurt and taken away again.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { startSystemdHost, systemdHostLacks } from '../support/systemd-host.ts';
import { until } from '../support/until.ts';

const program = ['/opt/node/bin/node', '/opt/autoweave.mjs', 'install-host'] as const;
const runtime = 'autoweave.service';

test('a host is installed, runs hardened and watched, and is as before when uninstalled and purged [I6, I4]', {
  skip: systemdHostLacks() ?? false,
}, async (t) => {
  const host = await startSystemdHost(t, path.resolve('dist/autoweave.mjs'));
  const shell = async (script: string) => {
    const { code, out, err } = await host.run('sh', '-c', script);
    assert.equal(code, 0, `${script}: ${out}${err}`);
    return out;
  };
  const inHost =
    'find /etc /usr/local /var/lib/autoweave* /run/autoweave* 2>/dev/null; cat /etc/passwd || true';
  // systemd's programs make them when the first account is made; they belong to no account.
  const listed = async () =>
    (await shell(inHost))
      .split('\n')
      .filter((line) => !/^\/etc\/(\.pwd\.lock|(passwd|group|g?shadow)-?)$/.test(line))
      .sort();
  const before = await listed();
  const restarts = async () => Number(await host.property(runtime, 'NRestarts'));
  const mainPid = () => host.property(runtime, 'MainPID');

  await t.test(
    'it is active once the command returns, in its own cgroup, and events are stored',
    async () => {
      const { code, out, err } = await host.run(...program);
      assert.equal(code, 0, `${out}${err}`);
      assert.equal(await host.property(runtime, 'ActiveState'), 'active');
      assert.match(
        await shell(`cat /proc/${await mainPid()}/cgroup`),
        /^0::\/system\.slice\/autoweave\.service\/main$/m,
      );
      const status = await shell(`cat /proc/${await mainPid()}/status`);
      assert.match(status, /^CapBnd:\s0+$/m);
      assert.match(status, /^NoNewPrivs:\s1$/m);
      assert.match(status, /^Seccomp:\s2$/m);
      await until('Redis answers', async () => {
        const { out: health } = await host.run(
          '/opt/node/bin/node',
          '-e',
          "fetch('http://127.0.0.1:8480/health').then((r) => r.text()).then(console.log)",
        );
        return /"buffer":\{"state":"ok"/.test(health);
      });
    },
  );

  await t.test("the kernel's log is handed to it, which it could not open itself", async () => {
    assert.equal((await shell(`readlink /proc/${await mainPid()}/fd/0`)).trim(), '/dev/kmsg');
    // What a short log says is believed after a second.
    await until('it is read', async () => {
      const { out: health } = await host.run(
        '/opt/node/bin/node',
        '-e',
        "fetch('http://127.0.0.1:8480/health').then((r) => r.json()).then((r) => console.log(r.parts['usb-ports'].why))",
      );
      // Of the machine that runs the test: it may have told of failures.
      return /^(the kernel's log tells|what is plugged in at|the USB controller) /.test(health);
    });
  });

  await t.test('installing again restarts nothing', async () => {
    const pid = await mainPid();
    assert.equal((await host.run(...program)).code, 0);
    assert.equal(await mainPid(), pid);
  });

  await t.test(
    'a sandbox with a worker can be built under exactly the restrictions of the unit',
    async () => {
      const inside = 'new (require("worker_threads").Worker)("console.log(6 * 7)", { eval: true })';
      const command = `bwrap --unshare-user --unshare-pid --unshare-net --unshare-ipc --unshare-uts --die-with-parent --new-session --cap-drop ALL --ro-bind / / --proc /proc --dev /dev --tmpfs /tmp /usr/local/lib/autoweave/node -e '${inside}'`;
      await shell(`cat >/run/sandbox <<'END'\n#!/bin/sh\nexec ${command}\nEND
      chmod 755 /run/sandbox
      sed -e 's#^\\(ExecStart=[^ ]*\\) .*#\\1 /run/sandbox#' -e 's/^Type=.*/Type=oneshot/' \
        -e '/^\\(Restart\\|WatchdogSec\\|StateDirectory\\|RuntimeDirectory\\)/d' \
        /etc/systemd/system/${runtime} >/run/systemd/system/sandbox.service
      systemctl daemon-reload && systemctl start sandbox && journalctl --sync`);
      assert.match(await shell('journalctl -u sandbox -o cat --no-pager'), /^42$/m);
      await shell('rm /run/sandbox /run/systemd/system/sandbox.service; systemctl daemon-reload');
    },
  );

  await t.test('sysfs is as writable under the restrictions of the unit as outside of them', async () => {
    const flags =
      'awk \'$5 == "/sys" { split($6, flag, ","); print "sysfs", flag[1] }\' /proc/self/mountinfo';
    const outside = await shell(flags);
    assert.match(outside, /^sysfs r[ow]$/m);
    const inside = async (more: string) => {
      await shell(`cat >/run/look <<'END'\n#!/bin/sh\n${flags}\nEND
      chmod 755 /run/look
      sed -e 's#^ExecStart=.*#ExecStart=/run/look#' -e 's/^Type=.*/Type=oneshot/' \
        -e '/^\\(Restart\\|WatchdogSec\\|StateDirectory\\|RuntimeDirectory\\)/d' -e 's/^UMask=.*/&\\n${more}/' \
        /etc/systemd/system/${runtime} >/run/systemd/system/look.service
      systemctl daemon-reload && systemctl start look && journalctl --sync`);
      const said = await shell('journalctl -u look -o cat --no-pager');
      return said.match(/^sysfs r[ow]$/gm)?.at(-1);
    };
    assert.equal(await inside(''), outside.trim());
    // What this test would see if the unit had it.
    assert.equal(await inside('ProtectKernelTunables=yes'), 'sysfs ro');
    await shell('rm /run/look /run/systemd/system/look.service; systemctl daemon-reload');
  });

  await t.test('a killed runtime is started again', async () => {
    const count = await restarts();
    await shell(`systemctl kill --kill-whom=main --signal=KILL ${runtime}`);
    await until('it was started again', async () => (await restarts()) === count + 1);
    await until('it is active', async () => (await host.property(runtime, 'ActiveState')) === 'active');
  });

  await t.test(
    'a runtime that stands still is found by the watchdog; one that lives is left alone',
    async () => {
      await shell(`mkdir -p /run/systemd/system/${runtime}.d
      printf '[Service]\\nWatchdogSec=3\\n' >/run/systemd/system/${runtime}.d/short.conf
      systemctl daemon-reload && systemctl restart ${runtime}`);
      const told = () => host.property(runtime, 'WatchdogTimestampMonotonic');
      for (let time = 0; time < 4; time += 1) {
        const last = await told();
        await until('it says that it lives', async () => (await told()) !== last);
      }
      assert.equal(await restarts(), 0, 'longer than the limit, and nothing happened');
      await shell(`systemctl kill --kill-whom=main --signal=STOP ${runtime}`);
      await until('it was started again', async () => (await restarts()) === 1);
      await until('it is active', async () => (await host.property(runtime, 'ActiveState')) === 'active');
      await shell(`rm -r /run/systemd/system/${runtime}.d; systemctl daemon-reload`);
    },
  );

  await t.test('a refused configuration is not tried again and again', async () => {
    await shell(
      `echo '{"usb":{"x":1}}' >/etc/autoweave/autoweave.json; systemctl restart ${runtime} || true`,
    );
    assert.equal(await host.property(runtime, 'ActiveState'), 'failed');
    assert.equal(await host.property(runtime, 'ExecMainStatus'), '2');
    assert.match(
      await shell(`journalctl -u ${runtime} -o cat --no-pager -n 5`),
      /config\.unknown-key usb\.x/,
    );
  });

  await t.test(
    'what was changed and what was stored stays until it is purged, and then nothing is left',
    async () => {
      const { code, err } = await host.run('autoweave', 'install-host', '--uninstall');
      assert.equal(code, 0, err);
      for (const left of [
        '/etc/autoweave/autoweave.json',
        '/var/lib/autoweave',
        '/var/lib/autoweave-redis',
      ]) {
        assert.ok(err.includes(`  ${left}\n`), err);
      }
      assert.equal(await host.property(runtime, 'LoadState'), 'not-found');
      assert.equal((await host.run(...program, '--uninstall', '--purge')).code, 0);
      assert.deepEqual(await listed(), before);
    },
  );
});
