// Facts of the host -> the steps that install or upgrade, or every reason against it at once. Pure.
import path from 'node:path';
import type { OperateCode } from '../operate-error.ts';
import { digestOf } from './digest-of.ts';
import type { HostFacts } from './host-facts.ts';
import type { HostFiles } from './host-files.ts';
import { hostLayout, manifestPath, type Placed, programFolder, units, users } from './host-layout.ts';
import type { HostStep } from './host-step.ts';
import { type InstallManifest, manifestText } from './install-manifest.ts';
import { redisPackage } from './redis-package.ts';

export interface Refusal {
  readonly code: OperateCode;
  readonly message: string;
}

export type InstallPlan =
  | { readonly ok: true; readonly steps: readonly HostStep[] }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

type Thing = Placed | { readonly path: string; readonly target: string };

export function planInstall(
  facts: HostFacts,
  options: { readonly files: HostFiles; readonly version: string; readonly replace: boolean },
): InstallPlan {
  const refusals = hostRefusals(facts);
  const node = facts.nodes.find(({ ok }) => ok);
  const { bundle } = facts;
  if (node === undefined || bundle === null) return { ok: false, refusals };

  const things: readonly Thing[] = [
    ...hostLayout(options.files, bundle, { kernelLog: facts.hasKernelLog }),
    // The units and the command name this link, so that they are the same files on every host.
    { path: `${programFolder}/node`, target: node.path },
  ];
  if (!options.replace) refusals.push(...things.flatMap((thing) => fileRefusal(thing, facts)));
  if (refusals.length > 0) return { ok: false, refusals };

  const changed = things.filter((thing) => mustWrite(thing, facts));
  const gone = obsolete(things, facts);
  const { pending, final } = manifests(things, facts, options.version);
  const finalText = manifestText(final);
  const isRecorded = facts.present.get(manifestPath)?.digest === digestOf(finalText);
  const writes = changed.map(writeStep);
  // Not recorded: an earlier try broke off, maybe after its files were there and before what runs was started again.
  const mustRestart = !isRecorded || changed.some((thing) => !('once' in thing)) || gone.length > 0;
  return {
    ok: true,
    steps: [
      ...newFolders(things, facts).map((folder): HostStep => ({ kind: 'folder', path: folder })),
      // Written first: an installation that breaks off can be taken away like any other.
      ...(isRecorded ? [] : [manifestStep(manifestText(pending))]),
      ...writes.filter((step) => !needsUser(step)),
      ...gone.map((one): HostStep => ({ kind: 'remove', path: one })),
      ...(facts.offline ? [] : [run('systemd-sysusers', '/etc/sysusers.d/autoweave.conf')]),
      ...writes.filter(needsUser),
      ...(facts.offline ? [] : startSteps(mustRestart)),
      ...(isRecorded ? [] : [manifestStep(finalText)]),
    ],
  };
}

/** What is left to do inside a system that was installed into from outside, once it runs. */
export const offlineRest: readonly string[] = [
  'systemd-sysusers /etc/sysusers.d/autoweave.conf',
  `chgrp autoweave /etc/autoweave/autoweave.json`,
  `systemctl enable --now ${units.join(' ')}`,
];

function hostRefusals(facts: HostFacts): Refusal[] {
  const { uid, offline, hasSystemd, hasRedis, nodes, bundle } = facts;
  const all: (Refusal | false)[] = [
    !offline &&
      uid !== 0 && {
        code: 'operate.not-root',
        message: `cannot install as user ${uid}: accounts and units are root's; run it with sudo`,
      },
    !offline &&
      !hasSystemd && {
        code: 'operate.no-systemd',
        message:
          'cannot install: systemd does not run here (no /run/systemd/system); use the appliance image, or a host with systemd',
      },
    bundle === null && {
      code: 'operate.not-built',
      message:
        'cannot install from the sources: one built file is installed; run `npm run build`, then `node dist/autoweave.mjs install-host`',
    },
    !nodes.some(({ ok }) => ok) && {
      code: 'operate.no-node',
      message: `cannot install without Node 24 or newer at a place of the system: ${nodes
        .map((one) => `${one.path}: ${one.ok ? 'good' : one.why}`)
        .join('; ')}; install Node 24 into /usr, /usr/local or /opt and start this command with it`,
    },
    !offline &&
      !hasRedis && {
        code: 'operate.no-redis',
        message: `cannot install without Redis, which stores the events: neither redis-server nor valkey-server is in /usr/bin, /usr/local/bin or /usr/sbin; ${redisPackage(facts.distributions)}`,
      },
  ];
  return all.filter((refusal) => refusal !== false);
}

/** Neither another program's file nor an administrator's change is overwritten unasked. */
function fileRefusal(thing: Thing, { present, manifest }: HostFacts): Refusal[] {
  const there = present.get(thing.path);
  if (there === undefined || there.digest === digestOfThing(thing)) return [];
  const ours = manifest?.entries.find(({ path: one }) => one === thing.path);
  if (ours === undefined) {
    // A configuration that was there before is simply used.
    if ('once' in thing) return [];
    return [
      {
        code: 'operate.foreign-file',
        message: `cannot install: ${thing.path} exists and was not put there by an installation; move it away, or overwrite it with --replace`,
      },
    ];
  }
  if (ours.digests.includes(there.digest) || 'once' in thing) return [];
  return [
    {
      code: 'operate.changed-file',
      message: `cannot upgrade: ${thing.path} was changed since it was installed; move the change into a drop-in (\`systemctl edit\`) or elsewhere, or overwrite it with --replace`,
    },
  ];
}

function mustWrite(thing: Thing, { present }: HostFacts): boolean {
  const there = present.get(thing.path);
  if (there === undefined) return true;
  if ('once' in thing) return false;
  return there.digest !== digestOfThing(thing) || ('mode' in thing && there.mode !== thing.mode);
}

/** What an earlier version installed and this one does not. */
function obsolete(things: readonly Thing[], { manifest, present }: HostFacts): string[] {
  const kept = new Set(things.map((thing) => thing.path));
  return (manifest?.entries ?? [])
    .filter((entry) => !kept.has(entry.path) && entry.digests.includes(present.get(entry.path)?.digest ?? ''))
    .map((entry) => entry.path);
}

function newFolders(things: readonly Thing[], { present }: HostFacts): string[] {
  const folders = new Set([manifestPath, ...things.map((thing) => thing.path)].flatMap(ancestors));
  return [...folders].filter((folder) => !present.has(folder)).sort();
}

/** The folders above a path, outermost first. */
export function ancestors(file: string): string[] {
  const above: string[] = [];
  for (let at = path.dirname(file); at !== '/'; at = path.dirname(at)) above.unshift(at);
  return above;
}

function manifests(things: readonly Thing[], facts: HostFacts, version: string) {
  const before = facts.manifest;
  const entry = (thing: Thing, digests: readonly string[]) => ({
    path: thing.path,
    digests: [...new Set(digests)],
    once: 'once' in thing,
  });
  const old = (at: string) => before?.entries.find((one) => one.path === at)?.digests ?? [];
  const isOwn = (thing: Thing) =>
    !('once' in thing) || old(thing.path).length > 0 || !facts.present.has(thing.path);
  // What is written once keeps the digest it was written with: later contents are the administrator's.
  const digests = (thing: Thing) => {
    const earlier = old(thing.path);
    return 'once' in thing && earlier.length > 0 && facts.present.has(thing.path)
      ? earlier
      : [digestOfThing(thing)];
  };
  const own = things.filter(isOwn);
  const final: InstallManifest = {
    format: 1,
    version,
    entries: own.map((thing) => entry(thing, digests(thing))),
    folders: [...new Set([...(before?.folders ?? []), ...newFolders(things, facts)])].sort(),
    users: [...new Set([...(before?.users ?? []), ...newUsers(facts)])],
  };
  const kept = new Set(own.map((thing) => thing.path));
  const pending: InstallManifest = {
    ...final,
    entries: [
      ...own.map((thing) => entry(thing, [...old(thing.path), ...digests(thing)])),
      ...(before?.entries ?? []).filter((one) => !kept.has(one.path)),
    ],
  };
  return { pending, final };
}

function newUsers({ users: existing, offline }: HostFacts): string[] {
  return offline ? [] : users.filter((name) => !existing.has(name));
}

function writeStep(thing: Thing): HostStep {
  if ('target' in thing) return { kind: 'link', path: thing.path, target: thing.target };
  const { path: at, mode, content, group } = thing;
  return { kind: 'file', path: at, mode, content, ...(group === undefined ? {} : { group }) };
}

function needsUser(step: HostStep): boolean {
  return step.kind === 'file' && step.group !== undefined;
}

function manifestStep(content: string): HostStep {
  return { kind: 'file', path: manifestPath, mode: 0o644, content };
}

function startSteps(mustRestart: boolean): HostStep[] {
  return [
    run('systemctl', 'daemon-reload'),
    run('systemd-tmpfiles', '--create', '/etc/tmpfiles.d/autoweave.conf'),
    // A container may not set it: the monitor then has the smaller buffer and rescans when it overflows.
    { ...run('systemctl', 'restart', 'systemd-sysctl.service'), mayFail: true },
    { ...run('udevadm', 'control', '--reload'), mayFail: true },
    // What is plugged in already gets its rights now instead of with the next start of the computer.
    {
      ...run('udevadm', 'trigger', '--action=add', '--subsystem-match=usb', '--subsystem-match=leds'),
      mayFail: true,
    },
    run('systemctl', 'enable', ...units),
    // `enable --now` would leave the old version running.
    run('systemctl', mustRestart ? 'restart' : 'start', ...units),
  ];
}

function run(...command: [string, ...string[]]) {
  return { kind: 'run', command, mayFail: false } as const;
}

function digestOfThing(thing: Thing): string {
  return 'target' in thing ? digestOf({ target: thing.target }) : digestOf(thing.content);
}
