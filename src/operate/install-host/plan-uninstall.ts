// Facts of the host -> the steps that take away exactly what was installed. Data and changed files stay unless purged. Pure.
import { OperateError } from '../operate-error.ts';
import type { HostFacts } from './host-facts.ts';
import { dataFolders, manifestPath, spoolFolder, units } from './host-layout.ts';
import type { HostStep } from './host-step.ts';
import { type InstallManifest, manifestText } from './install-manifest.ts';

export interface UninstallPlan {
  readonly steps: readonly HostStep[];
  /** What stays, and is still in the manifest so that a later purge finds it. */
  readonly left: readonly string[];
}

/** @throws OperateError `operate.not-installed`, `operate.not-root` */
export function planUninstall(facts: HostFacts, { purge }: { readonly purge: boolean }): UninstallPlan {
  const { manifest, present, offline } = facts;
  if (manifest === null) {
    throw new OperateError(
      'operate.not-installed',
      `cannot uninstall: there is no ${manifestPath}, so nothing was installed by this command`,
    );
  }
  if (!offline && facts.uid !== 0) {
    throw new OperateError(
      'operate.not-root',
      `cannot uninstall as user ${facts.uid}: units and accounts are root's; run it with sudo`,
    );
  }
  const there = manifest.entries.filter(({ path }) => present.has(path));
  const isUnchanged = ({ path, digests }: InstallManifest['entries'][number]) =>
    digests.includes(present.get(path)?.digest ?? '');
  const changed = purge ? [] : there.filter((entry) => !isUnchanged(entry));
  const data = dataFolders.filter((folder) => present.has(folder));
  const keptData = purge ? [] : data;
  const left = [...changed.map(({ path }) => path), ...keptData];
  // The files that stay belong to these accounts: another account must not inherit their numbers.
  const users = left.length === 0 ? manifest.users : [];
  const rest: InstallManifest = { ...manifest, entries: changed };
  return {
    left,
    steps: [
      ...(offline || !there.some(({ path }) => path.endsWith('.service'))
        ? []
        : [mayFail('systemctl', 'disable', '--now', ...units)]),
      ...there
        .filter((entry) => !changed.includes(entry))
        .map(({ path }): HostStep => ({ kind: 'remove', path })),
      ...(offline
        ? []
        : [
            mayFail('systemctl', 'daemon-reload'),
            mayFail('udevadm', 'control', '--reload'),
            full(spoolFolder),
          ]),
      ...(purge ? data.map(full) : []),
      ...(offline ? [] : users.map((user) => mayFail('userdel', user))),
      left.length === 0
        ? { kind: 'remove', path: manifestPath }
        : { kind: 'file', path: manifestPath, mode: 0o644, content: manifestText(rest) },
      ...manifest.folders
        .toSorted()
        .reverse()
        .map((path): HostStep => ({ kind: 'remove-folder', path, evenIfFull: false })),
    ],
  };
}

function mayFail(...command: [string, ...string[]]): HostStep {
  return { kind: 'run', command, mayFail: true };
}

function full(path: string): HostStep {
  return { kind: 'remove-folder', path, evenIfFull: true };
}
