import assert from 'node:assert/strict';
import test from 'node:test';
import { digestOf } from '../../src/operate/install-host/digest-of.ts';
import type { HostFacts } from '../../src/operate/install-host/host-facts.ts';
import { hostFiles } from '../../src/operate/install-host/host-files.ts';
import type { HostStep } from '../../src/operate/install-host/host-step.ts';
import { type InstallManifest, parseManifest } from '../../src/operate/install-host/install-manifest.ts';
import { placeProblem } from '../../src/operate/install-host/node-candidates.ts';
import { planInstall } from '../../src/operate/install-host/plan-install.ts';
import { planUninstall } from '../../src/operate/install-host/plan-uninstall.ts';
import { goodHost } from './host-facts.ts';

const options = { files: hostFiles(), version: '1.0.0', replace: false };
const unit = '/etc/systemd/system/autoweave.service';
const config = '/etc/autoweave/autoweave.json';
const manifestFile = '/var/lib/autoweave-install/manifest.json';

function stepsOn(host: HostFacts, more: Partial<typeof options> = {}): readonly HostStep[] {
  const plan = planInstall(host, { ...options, ...more });
  assert.ok(plan.ok, JSON.stringify(plan));
  return plan.steps;
}

function refusalsOn(change: Partial<HostFacts>): readonly string[] {
  const plan = planInstall({ ...goodHost, ...change }, options);
  return plan.ok ? [] : plan.refusals.map(({ code, message }) => `${code} ${message}`);
}

const commands = (steps: readonly HostStep[]) =>
  steps.flatMap((step) => (step.kind === 'run' ? [step.command.join(' ')] : []));

/** The host as those steps leave it. */
function after(host: HostFacts, steps: readonly HostStep[]): HostFacts {
  const present = new Map(host.present);
  let { manifest } = host;
  for (const step of steps) {
    if (step.kind === 'folder') present.set(step.path, { digest: 'folder', mode: 0o755 });
    if (step.kind === 'file') present.set(step.path, { digest: digestOf(step.content), mode: step.mode });
    if (step.kind === 'link') present.set(step.path, { digest: digestOf(step), mode: null });
    if (step.kind === 'remove') present.delete(step.path);
    if (step.kind === 'file' && step.path === manifestFile) manifest = parseManifest(String(step.content));
    if (step.kind === 'remove' && step.path === manifestFile) manifest = null;
  }
  return { ...host, present, manifest };
}

test("the kernel's log is handed over where there is one: a unit whose input is missing would not start [I6, U1]", () => {
  const dropIn = '/etc/systemd/system/autoweave.service.d/kernel-log.conf';
  const writes = (host: HostFacts) =>
    stepsOn(host).some((step) => step.kind === 'file' && step.path === dropIn);
  assert.ok(writes({ ...goodHost, hasKernelLog: true }));
  assert.ok(!writes({ ...goodHost, hasKernelLog: false }));
});

test('an installation is recorded before its first file, and starts what it wrote [I6]', () => {
  const steps = stepsOn(goodHost);
  const written = steps.flatMap((step) => (step.kind === 'file' || step.kind === 'link' ? [step.path] : []));
  assert.equal(written[0], manifestFile);
  assert.equal(written.at(-1), manifestFile);
  assert.deepEqual(commands(steps), [
    'systemd-sysusers /etc/sysusers.d/autoweave.conf',
    'systemctl daemon-reload',
    'systemd-tmpfiles --create /etc/tmpfiles.d/autoweave.conf',
    'systemctl restart systemd-sysctl.service',
    'udevadm control --reload',
    'udevadm trigger --action=add --subsystem-match=usb --subsystem-match=leds',
    'systemctl enable autoweave-redis.service autoweave.service',
    'systemctl restart autoweave-redis.service autoweave.service',
  ]);
  const at = (match: (step: HostStep) => boolean) => steps.findIndex(match);
  const account = at((step) => step.kind === 'run' && step.command[0] === 'systemd-sysusers');
  assert.ok(account < at((step) => step.kind === 'file' && step.path === config), 'its group must exist');
  const { entries, users } = after(goodHost, steps).manifest as InstallManifest;
  assert.deepEqual(
    entries.map(({ path }) => path).sort(),
    [...new Set(written)].filter((one) => one !== manifestFile).sort(),
  );
  assert.deepEqual(users, ['autoweave', 'autoweave-redis']);
});

test('udev is told where the helper lies, because it would look among the files of packages [I6]', () => {
  const rule = stepsOn(goodHost).find((step) => 'path' in step && step.path.endsWith('.rules'));
  assert.match(
    String(rule?.kind === 'file' && rule.content),
    /RUN\+="\/usr\/local\/lib\/autoweave\/autoweave-spool"/,
  );
});

test('a second installation writes nothing and restarts nothing [I6]', () => {
  const again = stepsOn(after(goodHost, stepsOn(goodHost)));
  assert.ok(
    again.every(({ kind }) => kind === 'run'),
    JSON.stringify(again),
  );
  assert.ok(commands(again).includes('systemctl start autoweave-redis.service autoweave.service'));
});

test('an upgrade that broke off after its files were written restarts what still runs the old ones [I6]', () => {
  const bundle = new TextEncoder().encode('// the next bundle');
  const host: HostFacts = { ...after(goodHost, stepsOn(goodHost)), bundle };
  const steps = stepsOn(host, { version: '1.1.0' });
  const broken = steps.findIndex((step) => step.kind === 'run' && step.command[0] === 'systemd-tmpfiles');
  assert.ok(broken > 0);
  const again = stepsOn(after(host, steps.slice(0, broken)), { version: '1.1.0' });
  const restart = 'systemctl restart autoweave-redis.service autoweave.service';
  assert.ok(commands(again).includes(restart), commands(again).join('\n'));
});

test('an upgrade replaces what changed, removes what is gone and keeps the settings [I6]', () => {
  const installed = after(goodHost, stepsOn(goodHost));
  const old = '/etc/autoweave/old.conf';
  const host: HostFacts = {
    ...installed,
    bundle: new TextEncoder().encode('// the next bundle'),
    present: new Map([
      ...installed.present,
      [old, { digest: 'abc', mode: 0o644 }],
      [config, { digest: 'changed by hand', mode: 0o600 }],
    ]),
    manifest: {
      ...(installed.manifest as InstallManifest),
      entries: [...(installed.manifest?.entries ?? []), { path: old, digests: ['abc'], once: false }],
    },
  };
  const steps = stepsOn(host, { version: '1.1.0' });
  const touched = steps.flatMap((step) => ('path' in step ? [`${step.kind} ${step.path}`] : []));
  assert.deepEqual(touched, [
    `file ${manifestFile}`,
    'file /usr/local/lib/autoweave/autoweave.mjs',
    `remove ${old}`,
    `file ${manifestFile}`,
  ]);
  assert.ok(commands(steps).includes('systemctl restart autoweave-redis.service autoweave.service'));
  const [pending] = steps.filter((step) => step.kind === 'file');
  const entries = parseManifest(String(pending?.content)).entries;
  assert.equal(
    entries.find(({ path }) => path.endsWith('.mjs'))?.digests.length,
    2,
    'old and new while under way',
  );
  assert.ok(entries.some(({ path }) => path === old));
  assert.ok(!after(host, steps).manifest?.entries.some(({ path }) => path === old));
});

test('a host that cannot run it is refused with every reason and its remedy at once [I6]', () => {
  assert.deepEqual(refusalsOn({}), []);
  const refusals = refusalsOn({
    uid: 1000,
    hasSystemd: false,
    hasRedis: false,
    bundle: null,
    nodes: [{ ok: false, path: '/home/u/node', why: 'it lies in a home folder' }],
  });
  const expected = [
    /^operate\.not-root .*sudo/,
    /^operate\.no-systemd /,
    /^operate\.not-built .*npm run build/,
    /^operate\.no-node .*\/home\/u\/node: it lies in a home folder; install Node 24/,
    /^operate\.no-redis .*`apt-get install redis-server`/,
  ];
  assert.equal(refusals.length, expected.length);
  expected.forEach((pattern, index) => {
    assert.match(refusals[index] ?? '', pattern);
  });
  assert.match(
    refusalsOn({ hasRedis: false, distributions: ['rocky', 'rhel', 'centos'] })[0] ?? '',
    /dnf install redis/,
  );
  assert.match(refusalsOn({ hasRedis: false, distributions: ['own'] })[0] ?? '', /install the package redis/);
});

test('a Node in a home, a temporary folder or a checkout is no Node for a service [I6]', () => {
  for (const place of [
    '/home/u/.nvm/node',
    '/root/node',
    '/tmp/x/node',
    '/srv/app/node_modules/node/bin/node',
  ]) {
    assert.notEqual(placeProblem(place), null, place);
  }
  for (const place of ['/usr/bin/node', '/opt/node-24/bin/node'])
    assert.equal(placeProblem(place), null, place);
});

test('a file that others put there or somebody changed is not overwritten unasked [I6]', () => {
  const foreign = new Map([...goodHost.present, [unit, { digest: 'foreign', mode: 0o644 }]]);
  assert.match(refusalsOn({ present: foreign })[0] ?? '', /^operate\.foreign-file .*autoweave\.service/);
  const installed = after(goodHost, stepsOn(goodHost));
  const changed = { ...installed, present: new Map([...installed.present, ...foreign]) };
  assert.match(refusalsOn(changed)[0] ?? '', /^operate\.changed-file .*systemctl edit/);
  assert.ok(stepsOn(changed, { replace: true }).some((step) => 'path' in step && step.path === unit));
});

test('a configuration that was there before is used, and is not taken away [I6]', () => {
  const present = new Map([...goodHost.present, [config, { digest: 'mine', mode: 0o640 }]]);
  const host = after({ ...goodHost, present }, stepsOn({ ...goodHost, present }));
  assert.equal(host.present.get(config)?.digest, 'mine');
  const { steps } = planUninstall(host, { purge: true });
  assert.ok(!steps.some((step) => step.kind === 'remove' && step.path === config));
});

test('an uninstallation leaves data and changed files and says which; a purge takes them away [I6]', () => {
  const installed = after(goodHost, stepsOn(goodHost));
  const host: HostFacts = {
    ...installed,
    present: new Map([
      ...installed.present,
      ['/var/lib/autoweave', { digest: 'folder', mode: 0o750 }],
      [config, { digest: 'changed by hand', mode: 0o640 }],
    ]),
  };
  const kept = planUninstall(host, { purge: false });
  assert.deepEqual(kept.left, [config, '/var/lib/autoweave']);
  assert.ok(!commands(kept.steps).some((command) => command.startsWith('userdel')));
  const rest = after(host, kept.steps);
  assert.deepEqual(
    rest.manifest?.entries.map(({ path }) => path),
    [config],
  );

  for (const start of [host, rest]) {
    const { left, steps } = planUninstall(start, { purge: true });
    assert.deepEqual(left, []);
    assert.deepEqual(
      commands(steps).filter((command) => command.startsWith('userdel')),
      ['userdel autoweave', 'userdel autoweave-redis'],
    );
    assert.ok(
      steps.some(
        (step) => step.kind === 'remove-folder' && step.evenIfFull && step.path === '/var/lib/autoweave',
      ),
    );
    assert.equal(after(start, steps).manifest, null);
  }
});

test('only accounts that the installation made are removed with it [I6]', () => {
  const host = { ...goodHost, users: new Set(['autoweave']) };
  const { steps } = planUninstall(after(host, stepsOn(host)), { purge: true });
  assert.deepEqual(
    commands(steps).filter((command) => command.startsWith('userdel')),
    ['userdel autoweave-redis'],
  );
});

test('nothing is uninstalled without a list, or by a damaged one [I6]', () => {
  assert.throws(() => planUninstall(goodHost, { purge: false }), { code: 'operate.not-installed' });
  const good = { format: 1, version: '1', entries: [], folders: [], users: [] };
  assert.ok(parseManifest(JSON.stringify(good)));
  for (const bad of [
    '',
    '[]',
    JSON.stringify({ ...good, format: 2 }),
    JSON.stringify({ ...good, folders: ['etc'] }),
    JSON.stringify({ ...good, users: ['--root'] }),
    JSON.stringify({ ...good, entries: [{ path: '/usr/../etc/passwd', digests: ['x'], once: false }] }),
  ]) {
    assert.throws(() => parseManifest(bad), { code: 'operate.bad-manifest' }, bad);
  }
});
