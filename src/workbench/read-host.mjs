// What the planner needs to know about this machine and this checkout. Only looks, changes nothing.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';

/** /usr/sbin holds mosquitto and mke2fs and is not in everybody's PATH. */
export const searchPath = () =>
  [...new Set([...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'])].filter(
    Boolean,
  );

export function readHost() {
  // The report asks the name servers about every open connection unless told not to.
  process.report.excludeNetwork = true;
  const glibc = process.report.getReport().header.glibcVersionRuntime ?? null;
  return {
    platform: process.platform,
    arch: process.arch,
    libc: glibc === null ? 'musl' : 'glibc',
    glibc,
    nodeVersion: process.versions.node,
    distribution: readDistribution(),
    installer: ['apt-get', 'apk'].find(findCommand) ?? null,
    privilege: readPrivilege(),
    aptListsAgeDays: readAptListsAgeDays(),
    systemd: existsSync('/run/systemd/system'),
  };
}

/** Entries of system-packages.json that the task needs, each with whether it is there. */
export function packagesFor(root, task) {
  const file = path.join(root, 'src/workbench/system-packages.json');
  return JSON.parse(readFileSync(file, 'utf8'))
    .filter(({ tasks }) => tasks.includes(task))
    .map((entry) => ({ ...entry, present: entry.proof.some(isThere) }));
}

/**
 * npm's own record of what it installed, against the lock file; so `npm ci` typed by hand counts as well. Optional
 * packages may be absent: they are those of other platforms. Node itself is one of them, and may not.
 */
export function modulesMatchLock(root, { libc }) {
  const installedFile = path.join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  if (libc === 'glibc' && !existsSync(path.join(root, 'node_modules/.bin/node'))) return false;
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([place, entry]) => {
    if (place === '') return true;
    const found = installed[place];
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** Where node_modules really is when it is a symbolic link, otherwise null. */
export function linkedModules(root) {
  const place = path.join(root, 'node_modules');
  return lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(place) : null;
}

function readDistribution() {
  try {
    const line = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'));
    return line?.[1] ?? 'an unnamed Linux';
  } catch {
    return 'a Linux without /etc/os-release';
  }
}

/** What to put before a command that needs root; null when this user may not. */
function readPrivilege() {
  if (process.getuid?.() === 0) return [];
  for (const command of ['sudo', 'doas']) {
    if (findCommand(command) && spawnSync(command, ['-n', 'true'], { stdio: 'ignore' }).status === 0)
      return [command, '-n'];
  }
  return null;
}

/** Days since the last `apt-get update`; null when there are no lists. */
function readAptListsAgeDays() {
  const lists = '/var/lib/apt/lists';
  if (!existsSync(lists)) return null;
  // apt gives list files the server's date, so the folders say when it ran; image builds leave them behind empty.
  const changed = [lists, `${lists}/partial`].filter(existsSync).map((dir) => statSync(dir).mtimeMs);
  const filled = spawnSync('sh', ['-c', `ls ${lists} | grep -q _Packages`]).status === 0;
  return filled ? (Date.now() - Math.max(...changed)) / 86_400_000 : null;
}

/** A proof is a path, or a command's name. */
function isThere(proof) {
  return proof.startsWith('/') ? existsSync(proof) : findCommand(proof);
}

function findCommand(name) {
  return searchPath().some((dir) => {
    try {
      accessSync(path.join(dir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
