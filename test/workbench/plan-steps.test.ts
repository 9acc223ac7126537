import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Host,
  type Plan,
  planSteps as plan,
  type SystemPackage,
} from '../../src/workbench/plan-steps.mjs';

const debian: Host = {
  platform: 'linux',
  arch: 'x64',
  libc: 'glibc',
  glibc: '2.36',
  nodeVersion: '20.20.2',
  distribution: 'Debian GNU/Linux 12 (bookworm)',
  installer: 'apt-get',
  privilege: [],
  aptListsAgeDays: 0.1,
  systemd: false,
};
const alpine: Host = {
  ...debian,
  libc: 'musl',
  glibc: null,
  nodeVersion: '24.11.0',
  distribution: 'Alpine Linux v3.23',
  installer: 'apk',
  aptListsAgeDays: null,
};
const redis: SystemPackage = {
  name: 'redis-server',
  tasks: ['start'],
  why: 'stores events',
  proof: ['redis-server'],
  apt: ['redis-server'],
  apk: [['redis'], ['valkey', 'valkey-cli']],
  services: ['redis-server.service'],
  present: false,
};
const udev: SystemPackage = {
  name: 'udevadm',
  tasks: ['start'],
  why: 'prints uevents',
  proof: ['udevadm'],
  apt: ['udev'],
  apk: ['eudev'],
  present: false,
};

const planSteps = (facts: Omit<Parameters<typeof plan>[0], 'modulesLink'>) =>
  plan({ ...facts, modulesLink: null });
const stepsOf = (made: Plan) => {
  assert.ok(made.ok, made.ok ? '' : made.reason);
  return made.steps;
};
const commandsOf = (made: Plan) =>
  stepsOf(made).flatMap((step) => {
    if (step.kind === 'run') return [step.command.join(' ')];
    return step.kind === 'run-first' ? [step.commands.map((command) => command.join(' ')).join(' || ')] : [];
  });
const reasonOf = (made: Plan) => {
  assert.ok(!made.ok, 'expected a refusal');
  return made.reason;
};

test('runs nothing on a machine that has everything [Q4]', () => {
  const nothing = planSteps({ host: debian, packages: [{ ...redis, present: true }], modulesMatch: true });
  assert.deepEqual(commandsOf(nothing), []);
  assert.ok(
    stepsOf(nothing).every(({ say }) => say !== ''),
    'every step says what it is about',
  );
});

test('installs npm packages, development and optional ones too, before system packages [Q4]', () => {
  assert.deepEqual(commandsOf(planSteps({ host: debian, packages: [redis, udev], modulesMatch: false })), [
    'npm ci --include=dev --include=optional --loglevel=error',
    'env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install --yes --no-install-recommends redis-server udev',
  ]);
});

test('says for each missing system package what it is for [Q4]', () => {
  const said = stepsOf(planSteps({ host: debian, packages: [redis, udev], modulesMatch: true }))
    .map(({ say }) => say)
    .join('\n');
  assert.match(said, /missing: redis-server, stores events/);
  assert.match(said, /missing: udevadm, prints uevents/);
});

test('refreshes the package lists only when there are none or they are old [Q4]', () => {
  const refreshes = (aptListsAgeDays: number | null) =>
    commandsOf(
      planSteps({ host: { ...debian, aptListsAgeDays }, packages: [udev], modulesMatch: true }),
    ).includes('apt-get update');
  assert.equal(refreshes(null), true);
  assert.equal(refreshes(3), true);
  assert.equal(refreshes(0.5), false);
});

test('keeps systemd from starting the services of what it installs, and touches no others [Q4]', () => {
  const host = { ...debian, systemd: true };
  const commands = commandsOf(planSteps({ host, packages: [redis, udev], modulesMatch: true }));
  assert.equal(commands[0], 'systemctl mask --runtime redis-server.service');
  assert.deepEqual(commands.slice(2), [
    'systemctl unmask --runtime redis-server.service',
    'systemctl disable redis-server.service',
  ]);
  const there = [{ ...redis, present: true }, udev];
  const without = commandsOf(planSteps({ host, packages: there, modulesMatch: true }));
  assert.ok(!without.join('\n').includes('systemctl'), 'a Redis that was there before stays as it is');
});

test('puts sudo before what needs root and not before npm [Q4]', () => {
  const host = { ...debian, privilege: ['sudo', '-n'] };
  const commands = commandsOf(planSteps({ host, packages: [udev], modulesMatch: false }));
  assert.match(commands[0] ?? '', /^npm ci/);
  assert.match(commands[1] ?? '', /^sudo -n env DEBIAN_FRONTEND=noninteractive .*apt-get install/);
});

test('refuses with the exact command where it may not install, before it changes anything [Q4]', () => {
  const host = { ...debian, privilege: null, aptListsAgeDays: null };
  assert.match(
    reasonOf(planSteps({ host, packages: [redis, udev], modulesMatch: false })),
    /missing: redis-server \(stores events\), udevadm .* Type, as root: apt-get update && env .* install --yes --no-install-recommends redis-server udev$/,
  );
  assert.match(
    reasonOf(
      planSteps({ host: { ...alpine, privilege: null }, packages: [redis, udev], modulesMatch: true }),
    ),
    /apk add eudev && \(apk add redis \|\| apk add valkey valkey-cli\)$/,
  );
});

test('needs no root where nothing is missing [Q4]', () => {
  const host = { ...debian, privilege: null, installer: null };
  assert.ok(planSteps({ host, packages: [{ ...udev, present: true }], modulesMatch: false }).ok);
});

test('takes redis or valkey on Alpine, whichever the release has [Q4]', () => {
  assert.deepEqual(commandsOf(planSteps({ host: alpine, packages: [redis, udev], modulesMatch: true })), [
    'apk update',
    'apk add eudev',
    'apk add redis || apk add valkey valkey-cli',
  ]);
});

test("takes npm's Node out of the way on musl, after the packages that bring it [Q4]", () => {
  const steps = stepsOf(planSteps({ host: alpine, packages: [], modulesMatch: false }));
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['run', 'remove', 'note'],
  );
  const onGlibc = stepsOf(planSteps({ host: debian, packages: [], modulesMatch: false }));
  assert.ok(onGlibc.every(({ kind }) => kind !== 'remove'));
});

test('refuses a machine on which the product cannot run, with what to do [Q4]', () => {
  const refusals: readonly (readonly [Partial<Host>, RegExp])[] = [
    [{ platform: 'darwin' }, /needs Linux .* darwin/],
    [{ arch: 'arm' }, /x64 or arm64 .* arm/],
    [{ glibc: '2.27' }, /glibc 2\.28 or newer, .* has 2\.27/],
    [{ libc: 'musl', glibc: null, nodeVersion: '22.1.0' }, /Node 24, .* is 22\.1\.0; type: apk add nodejs/],
  ];
  for (const [change, expected] of refusals) {
    assert.match(
      reasonOf(planSteps({ host: { ...debian, ...change }, packages: [], modulesMatch: true })),
      expected,
    );
  }
});

test('names what is missing where it knows no package tool [Q4]', () => {
  const host = { ...debian, distribution: 'Fedora Linux 43', installer: null };
  assert.match(
    reasonOf(planSteps({ host, packages: [udev], modulesMatch: true })),
    /Fedora Linux 43 has neither apt-get nor apk, and these are missing: udevadm \(prints uevents\)/,
  );
});

test('never lets npm empty a node_modules that belongs to another checkout [Q4]', () => {
  const facts = { host: debian, packages: [], modulesLink: '/elsewhere/node_modules' };
  assert.match(
    reasonOf(plan({ ...facts, modulesMatch: false })),
    /symbolic link to \/elsewhere\/node_modules, which npm would empty; remove the link/,
  );
  assert.ok(plan({ ...facts, modulesMatch: true }).ok);
});
