// Facts about the machine -> the steps that make it ready, or the one reason why it cannot be. Pure; nothing is run here.

/** Below it npm's build of Node 24 does not start. */
const oldestGlibc = [2, 28];
/** Whatever NODE_ENV says; and without the warning that this Node is too old for the packages, which is why they come. */
const npmCi = ['npm', 'ci', '--include=dev', '--include=optional', '--loglevel=error'];

export function planSteps({ host, packages, modulesMatch, modulesLink }) {
  const reason = refusal(host) ?? linkRefusal(modulesMatch, modulesLink);
  if (reason !== null) return { ok: false, reason };
  const system = planPackages(
    host,
    packages.filter(({ present }) => !present),
  );
  if (!system.ok) return system;
  const steps = [];
  if (modulesMatch) {
    steps.push({ kind: 'note', say: 'node_modules matches package-lock.json' });
  } else {
    steps.push({
      kind: 'run',
      say: 'installing the npm packages that package-lock.json names',
      command: npmCi,
      remedy: 'npm says why above (no way to its registry? no room on the disk?); to try again, type',
    });
  }
  if (host.libc === 'musl') {
    // npm cannot tell the C libraries apart for this package, and its binary would shadow the one that works.
    steps.push({
      kind: 'remove',
      say: `Node ${host.nodeVersion} of the distribution (npm's is built for glibc)`,
      path: 'node_modules/.bin/node',
    });
  }
  return { ok: true, steps: [...steps, ...system.steps] };
}

function refusal({ platform, arch, libc, glibc, nodeVersion, distribution }) {
  if (platform !== 'linux')
    return `this needs Linux (udev, sysfs), and this is ${platform}; use a Linux machine or a virtual one`;
  if (arch !== 'x64' && arch !== 'arm64')
    return `this needs an x64 or arm64 processor, and Node says ${arch}; there is no build of Node 24 for it here`;
  if (libc === 'musl' && Number(nodeVersion.split('.')[0]) < 24)
    return `this needs Node 24, and that of ${distribution} is ${nodeVersion}; type: apk add nodejs-current npm (or, from Alpine 3.23 on, apk add nodejs npm)`;
  if (libc === 'glibc' && isOlder(glibc, oldestGlibc))
    return `Node 24 needs glibc ${oldestGlibc.join('.')} or newer, and ${distribution} has ${glibc}; use a newer release of it`;
  return null;
}

/** npm would empty the folder behind the link, and another checkout lives on it. */
function linkRefusal(modulesMatch, modulesLink) {
  if (modulesMatch || modulesLink === null) return null;
  return `node_modules does not match package-lock.json, and it is a symbolic link to ${modulesLink}, which npm would empty; remove the link and start again`;
}

function isOlder(version, [major, minor]) {
  const [ownMajor, ownMinor] = version.split('.').map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

function planPackages(host, missing) {
  if (missing.length === 0) {
    return { ok: true, steps: [{ kind: 'note', say: 'every system package that is needed is there' }] };
  }
  const list = missing.map(({ name, why }) => `${name} (${why})`).join(', ');
  if (host.installer === null) {
    return {
      ok: false,
      reason: `${host.distribution} has neither apt-get nor apk, and these are missing: ${list}. Install them with its own tool`,
    };
  }
  const steps = host.installer === 'apk' ? apkSteps(missing) : aptSteps(host, missing);
  if (host.privilege === null) {
    const typed = steps.map(({ commands, command }) =>
      commands === undefined ? shellLine(command) : `(${commands.map(shellLine).join(' || ')})`,
    );
    return {
      ok: false,
      reason: `these system packages are missing: ${list}. Installing needs root, which this user has not. Type, as root: ${typed.join(' && ')}`,
    };
  }
  const why = missing.map(({ name, why }) => ({ kind: 'note', say: `missing: ${name}, ${why}` }));
  return { ok: true, steps: [...why, ...steps.map((step) => asRoot(step, host.privilege))] };
}

/**
 * Debian starts the service of what it installs. Under sysvinit RUNLEVEL=1 prevents it; under systemd a mask in /run until
 * the installation is over, and the units stay disabled. A service that was installed before is not touched.
 */
function aptSteps({ aptListsAgeDays, systemd }, missing) {
  const services = systemd ? missing.flatMap((entry) => entry.services ?? []) : [];
  const steps = [];
  if (aptListsAgeDays === null || aptListsAgeDays > 1) {
    steps.push({
      kind: 'run',
      say: 'refreshing the package lists with apt-get update',
      command: ['apt-get', 'update'],
      // One unreachable third-party source is no reason to give up; the installation says what is really missing.
      mayFail: true,
    });
  }
  const install =
    'env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install --yes --no-install-recommends';
  steps.push({
    kind: 'run',
    say: `installing them with apt-get, without starting any service`,
    command: [...install.split(' '), ...missing.flatMap(({ apt }) => apt)],
    remedy: 'apt-get says why above; to try again, type',
  });
  if (services.length === 0) return steps;
  const systemctl = (say, ...args) => ({
    kind: 'run',
    say,
    command: ['systemctl', ...args, ...services],
    mayFail: true,
  });
  return [
    systemctl(`keeping ${services.join(', ')} from being started`, 'mask', '--runtime'),
    ...steps,
    systemctl('lifting that again', 'unmask', '--runtime'),
    systemctl('leaving them disabled: a private copy of each is used', 'disable'),
  ];
}

/** apk starts nothing. Where a package has gone by several names, the first that the release knows is taken. */
function apkSteps(missing) {
  const plain = missing.filter(({ apk }) => !Array.isArray(apk[0])).flatMap(({ apk }) => apk);
  const choices = missing.filter(({ apk }) => Array.isArray(apk[0])).map(({ apk }) => apk);
  const steps = [
    { kind: 'run', say: 'refreshing the package index', command: ['apk', 'update'], mayFail: true },
  ];
  const remedy = 'apk says why above (is the community repository enabled?); to try again, type';
  if (plain.length > 0) {
    steps.push({ kind: 'run', say: 'installing them with apk', command: ['apk', 'add', ...plain], remedy });
  }
  for (const names of choices) {
    steps.push({
      kind: 'run-first',
      say: `installing ${names.map((packages) => packages.join(' ')).join(' or ')}, whichever this release has`,
      commands: names.map((packages) => ['apk', 'add', ...packages]),
      remedy,
    });
  }
  return steps;
}

function asRoot(step, privilege) {
  if (step.commands !== undefined) {
    return { ...step, commands: step.commands.map((command) => [...privilege, ...command]) };
  }
  return { ...step, command: [...privilege, ...step.command] };
}

export function shellLine(command) {
  return command.join(' ');
}
