// Manifest without members, and the members -> the bytes of an `.awp`: the same input gives the same bytes.
import { PluginManifest } from '../contracts/plugin-manifest.ts';
import { bundleLimits, manifestPath, sbomPath } from './bundle-limits.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';
import { checkMembers, describeMember } from './check-members.ts';
import { toGzip } from './gzip-frame.ts';
import { checkManifest, manifestText, refuseTooDeep } from './read-manifest.ts';
import { checkSbom } from './sbom.ts';
import { scanMembers } from './scan-members.ts';
import { readTar, toTar } from './tar.ts';

export type PackVerdict =
  | {
      readonly ok: true;
      readonly bytes: Buffer;
      readonly manifest: PluginManifest;
      readonly fileName: string;
    }
  | BundleRefusal;

/** @param members path -> bytes, in any order, with the SBOM (`sbomText`). Refuses what `verifyBundle` would refuse. */
export function packBundle(
  source: Omit<PluginManifest, 'members'>,
  members: ReadonlyMap<string, Uint8Array>,
): PackVerdict {
  const sorted = [...members]
    .map(([path, bytes]) => ({ path, bytes }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const draft = inOrder({ ...source, members: sorted.map(describeMember) });
  const tooDeep = refuseTooDeep(draft);
  if (tooDeep !== null) return tooDeep;
  const checked = checkManifest(draft);
  if (!checked.ok) {
    const { path = '', message = '' } = checked.problems[0] ?? {};
    return refuse('bundle.manifest-invalid', path === '' ? manifestPath : path, message);
  }
  const manifest = checked.value;
  const manifestBytes = Buffer.from(manifestText(manifest));
  if (manifestBytes.length > bundleLimits.manifestBytes)
    return refuse('bundle.manifest-malformed', manifestPath, `has ${manifestBytes.length} bytes`);

  const tar = toTar([{ path: manifestPath, bytes: manifestBytes }, ...sorted]);
  if (tar.length > bundleLimits.unpackedBytes)
    return refuse('bundle.unpacked-too-large', '', `unpacks to ${tar.length} bytes`);
  const read = readTar(tar);
  if (!read.ok) return read;
  const refusal =
    checkMembers(manifest, sorted) ??
    checkSbom(manifest, members.get(sbomPath)) ??
    scanMembers(manifest, members);
  if (refusal !== null) return refusal;
  const bytes = toGzip(tar);
  if (bytes.length > bundleLimits.fileBytes)
    return refuse(
      'bundle.too-large',
      '',
      `has ${bytes.length} bytes; at most ${bundleLimits.fileBytes} may be`,
    );
  return { ok: true, bytes, manifest, fileName: `${manifest.name}-${manifest.version}.awp` };
}

/** Keys in the schema's order, whatever order the author wrote them in. */
function inOrder(manifest: PluginManifest): PluginManifest {
  const known = Object.keys(PluginManifest.properties);
  const keys = [...known, ...Object.keys(manifest).filter((key) => !known.includes(key))];
  const entries = keys
    .map((key) => [key, (manifest as unknown as Readonly<Record<string, unknown>>)[key]])
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as PluginManifest;
}
