// A verified manifest and what is installed -> the record it would get, or why it may not take that place. Pure.
import { compareVersions } from '../../bundle/compare-versions.ts';
import type { PluginManifest } from '../../contracts/plugin-manifest.ts';
import type { PluginRecord } from '../registry/plugin-record.ts';

export type InstallPlan =
  | { readonly ok: true; readonly record: PluginRecord; readonly how: 'installed' | 'upgraded' }
  | { readonly ok: false; readonly code: string; readonly reason: string };

export function planInstall(
  { name, securityCounter, version }: PluginManifest,
  sha256: string,
  installed: PluginRecord | null,
  nowMs: number,
): InstallPlan {
  const current = { version, sha256, securityCounter, installedAtMs: nowMs };
  if (installed === null)
    return {
      ok: true,
      how: 'installed',
      record: {
        ...{ v: 1, name, enabled: true, current, previous: null },
        ...{ highestSecurityCounter: securityCounter, onProbation: false, blocked: null },
      },
    };
  if (securityCounter < installed.highestSecurityCounter)
    return downgrade(
      name,
      `its security counter is ${securityCounter}, and ${installed.highestSecurityCounter} was installed here: what it lacks must never run again`,
    );
  const order = compareVersions(version, installed.current.version);
  if (order < 0)
    return downgrade(
      name,
      `${version} is older than the installed ${installed.current.version}; \`autoweave plugin rollback ${name}\` goes back to ${installed.previous?.version ?? 'nothing: no version was kept'}`,
    );
  // The same build again is a repair: nothing is kept of it twice.
  const previous = installed.current.sha256 === sha256 ? installed.previous : installed.current;
  return {
    ok: true,
    how: 'upgraded',
    record: {
      ...installed,
      ...{ current, previous, enabled: true, blocked: null, fellBack: null },
      onProbation: previous !== null && installed.current.sha256 !== sha256,
      highestSecurityCounter: Math.max(securityCounter, installed.highestSecurityCounter),
    },
  };
}

export type RollbackPlan =
  | { readonly ok: true; readonly record: PluginRecord }
  | { readonly ok: false; readonly code: string; readonly reason: string };

/** Why a version did not stay up. */
export interface Fall {
  readonly reason: string;
  readonly atMs: number;
}

const MAX_REASON = 500;

/**
 * The two versions change places when a person asks for it; a version that did not stay up is not kept.
 * @param fall null: a person asked
 */
export function planRollback(installed: PluginRecord, fall: Fall | null): RollbackPlan {
  const { current, highestSecurityCounter, name, previous } = installed;
  if (previous === null)
    return {
      ok: false,
      code: 'plugins.no-previous-version',
      reason: `no earlier version of ${name} is kept`,
    };
  if (previous.securityCounter < highestSecurityCounter)
    return downgrade(
      name,
      `the earlier ${previous.version} has security counter ${previous.securityCounter}, and ${highestSecurityCounter} was installed here`,
    );
  return {
    ok: true,
    record: {
      ...installed,
      ...{ current: previous, previous: fall === null ? current : null, enabled: true, blocked: null },
      onProbation: false,
      fellBack:
        fall === null
          ? null
          : { version: current.version, reason: fall.reason.slice(0, MAX_REASON), atMs: fall.atMs },
    },
  };
}

function downgrade(name: string, why: string) {
  return { ok: false, code: 'plugins.downgrade', reason: `${name}: ${why}` } as const;
}
