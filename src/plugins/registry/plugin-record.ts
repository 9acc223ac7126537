// What the registry remembers of one plugin: `plugin.json` in its folder, replaced whole.
import { type Static, Type } from 'typebox';
import { PluginName, PluginVersion } from '../../contracts/plugin-manifest.ts';

const closed = { additionalProperties: false } as const;
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** One build of a plugin; its bundle and signature lie in `versions/<version>-<first 12 digits of sha256>/`. */
export const StoredVersion = Type.Object(
  {
    version: PluginVersion,
    sha256: Digest,
    securityCounter: Type.Integer({ minimum: 0 }),
    installedAtMs: Type.Number({ description: 'When its signature was found good, by the wall clock' }),
  },
  closed,
);
export type StoredVersion = Static<typeof StoredVersion>;

export const PluginRecord = Type.Object(
  {
    v: Type.Literal(1),
    name: PluginName,
    enabled: Type.Boolean(),
    current: StoredVersion,
    previous: Type.Union([StoredVersion, Type.Null()]),
    /** Lower ones are refused, whatever version they are. What outlives this record is in security-floors.ts. */
    highestSecurityCounter: Type.Integer({ minimum: 0 }),
    /** The current version has not been up for long enough yet to be kept without doubt. */
    onProbation: Type.Boolean(),
    blocked: Type.Union([Type.Object({ code: Type.String(), reason: Type.String() }, closed), Type.Null()]),
    /** The version that did not stay up, so that the one before it runs again; absent or null: none, or another came since. */
    fellBack: Type.Optional(
      Type.Union([
        Type.Object({ version: PluginVersion, reason: Type.String(), atMs: Type.Number() }, closed),
        Type.Null(),
      ]),
    ),
  },
  closed,
);
export type PluginRecord = Static<typeof PluginRecord>;

export function folderOf({ version, sha256 }: StoredVersion): string {
  return `${version}-${sha256.slice(0, 12)}`;
}
