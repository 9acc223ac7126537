// What the kernel must offer: cgroup v2 handed over for plugins, user namespaces for their sandbox, udev for the bus.
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { attention, type Check, fault, ok, unknown } from './finding.ts';
import { readText } from './read-text.ts';

const controllers = ['cpu', 'memory', 'pids'] as const;
const receiveBufferBytes = 8_388_608;

export const checkCgroups: Check = {
  name: 'cgroups',
  async look({ root }) {
    const present = await readText(root, 'sys/fs/cgroup/cgroup.controllers');
    if (present === null)
      return fault(
        '/sys/fs/cgroup is no cgroup v2: plugins cannot be limited, so none is started',
        'Start the kernel with systemd.unified_cgroup_hierarchy=1, or without the v1 controllers.',
      );
    const missing = controllers.filter((name) => !present.split(' ').includes(name));
    return missing.length === 0
      ? ok(`cgroup v2 with ${controllers.join(', ')}`)
      : fault(
          `cgroup v2 is there, but without ${missing.join(', ')}: plugins cannot be limited, so none is started`,
          'Start the kernel with cgroup_enable=memory (Raspberry Pi), and without cgroup_no_v1.',
        );
  },
};

export const checkNamespaces: Check = {
  name: 'namespaces',
  async look({ root }) {
    const most = await readText(root, 'proc/sys/user/max_user_namespaces');
    if (most === null)
      return fault(
        'this kernel has no user namespaces: plugins have no sandbox',
        'Use a kernel with CONFIG_USER_NS.',
      );
    const switches = [
      ['user.max_user_namespaces', most, '0', '10000'],
      [
        'kernel.unprivileged_userns_clone',
        await readText(root, 'proc/sys/kernel/unprivileged_userns_clone'),
        '0',
        '1',
      ],
      [
        'kernel.apparmor_restrict_unprivileged_userns',
        await readText(root, 'proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
        '1',
        '0',
      ],
    ] as const;
    for (const [name, value, bad, good] of switches) {
      if (value === bad)
        return fault(
          `${name} is ${bad}: plugins have no sandbox, so none is started`,
          `sysctl -w ${name}=${good}, and keep it in /etc/sysctl.d.`,
        );
    }
    return ok('user namespaces can be made without root');
  },
};

export const checkUdev: Check = {
  name: 'udev',
  async look({ root, config }) {
    const there = (file: string, mode = constants.F_OK) =>
      access(path.join(root, file), mode).then(
        () => true,
        () => false,
      );
    if (!(await there('run/udev/control')))
      return fault(
        'udevd does not run: devices are seen, but none becomes ready',
        'Start systemd-udevd, or eudev.',
      );
    const rule = '90-autoweave.rules';
    const folders = ['etc/udev/rules.d', 'usr/lib/udev/rules.d', 'lib/udev/rules.d'];
    const rules = await Promise.all(folders.map((folder) => there(path.join(folder, rule))));
    if (!rules.includes(true))
      return attention(
        `${rule} is not installed: what is plugged while the appliance does not run is known by its net state alone`,
        'autoweave install-host puts it in place.',
      );
    const spool = path.dirname(config.usb.spoolFile);
    if (!(await there(spool)))
      return attention(
        `${spool} is missing: the udev helper has nowhere to write`,
        'Create it at boot (udev/README.md).',
      );
    const most = Number(await readText(root, 'proc/sys/net/core/rmem_max'));
    return most < receiveBufferBytes
      ? attention(
          `net.core.rmem_max is ${most}: a burst of plugs can overrun the monitor`,
          `sysctl -w net.core.rmem_max=${receiveBufferBytes}, and keep it in /etc/sysctl.d.`,
        )
      : ok('udevd runs, with our rule and spool');
  },
};

export const checkWatchdog: Check = {
  name: 'watchdog',
  async look({ root }) {
    const identity = await readText(root, 'sys/class/watchdog/watchdog0/identity');
    return identity === null
      ? unknown(
          'there is no hardware watchdog: a box that hangs stays as it is',
          'Enable the watchdog in the firmware, if it has one.',
        )
      : ok(`hardware watchdog: ${identity}`);
  },
};
