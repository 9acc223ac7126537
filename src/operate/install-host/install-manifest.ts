// What an installation put where, kept on the host: the only list that an uninstallation goes by.
import { type Static, Type } from 'typebox';
import { schemaCheck } from '../../lib/schema-check.ts';
import { OperateError } from '../operate-error.ts';
import { manifestPath } from './host-layout.ts';

const closed = { additionalProperties: false } as const;
const HostPath = Type.String({ pattern: '^/[^\\0]+$' });

export const InstallManifest = Type.Object(
  {
    format: Type.Literal(1),
    version: Type.String(),
    entries: Type.Array(
      Type.Object(
        {
          path: HostPath,
          /** SHA-256 of the contents, or `link:<target>`; two while an upgrade is under way: the old and the new. */
          digests: Type.Array(Type.String(), { minItems: 1 }),
          once: Type.Boolean(),
        },
        closed,
      ),
    ),
    /** Made by the installation, outermost first. */
    folders: Type.Array(HostPath),
    users: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]*$' })),
  },
  closed,
);
export type InstallManifest = Static<typeof InstallManifest>;

const check = schemaCheck(InstallManifest);

/** @throws OperateError `operate.bad-manifest` */
export function parseManifest(text: string): InstallManifest {
  const bad = (why: string, cause?: unknown) =>
    new OperateError(
      'operate.bad-manifest',
      `cannot tell what is installed: ${manifestPath} ${why}; restore it, or remove it and install again with --replace`,
      { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad('is not JSON', cause);
  }
  const verdict = check(value);
  if (!verdict.ok) throw bad(`is damaged (${verdict.problems[0]?.path} ${verdict.problems[0]?.message})`);
  const climbing = verdict.value.entries.find(({ path }) => path.split('/').includes('..'));
  if (climbing !== undefined) throw bad(`names a path with .. in it (${climbing.path})`);
  return verdict.value;
}

export function manifestText(manifest: InstallManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
