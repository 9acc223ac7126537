// Members of the tar against the manifest's list: the same, in the same order, with these sizes and hashes.
import { createHash } from 'node:crypto';
import type { BundleMember, PluginManifest } from '../contracts/plugin-manifest.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';
import type { TarMember } from './tar.ts';

/** @param members without `manifest.json` */
export function checkMembers(manifest: PluginManifest, members: readonly TarMember[]): BundleRefusal | null {
  const listed = manifest.members;
  for (const [index, member] of members.entries()) {
    const entry = listed[index];
    if (entry?.path !== member.path) {
      const isListed = listed.some(({ path }) => path === member.path);
      return isListed
        ? refuse('bundle.member-missing', entry?.path ?? member.path, `is missing before ${member.path}`)
        : refuse('bundle.member-unexpected', member.path, 'is not in the list of members');
    }
    if (entry.bytes !== member.bytes.length)
      return refuse(
        'bundle.member-size',
        member.path,
        `has ${member.bytes.length} bytes; listed are ${entry.bytes}`,
      );
    const { sha256 } = describeMember(member);
    if (entry.sha256 !== sha256)
      return refuse('bundle.member-hash', member.path, `has SHA-256 ${sha256}; listed is ${entry.sha256}`);
  }
  const absent = listed[members.length];
  return absent === undefined
    ? null
    : refuse('bundle.member-missing', absent.path, 'is listed and not there');
}

export function describeMember({ path, bytes }: TarMember): BundleMember {
  return { path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
