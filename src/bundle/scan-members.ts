// What can be seen in a bundle without running it. A sieve against mistakes and known harm; what holds a plugin is its sandbox.
import { isUtf8 } from 'node:buffer';
import type { PluginManifest } from '../contracts/plugin-manifest.ts';
import { checkByForeignSchema } from '../lib/check-by-foreign-schema.ts';
import { bundleLimits } from './bundle-limits.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';

/** What files of machine code begin with. */
const nativeStarts: readonly (readonly [string, string])[] = [
  ['7f454c46', 'ELF'],
  ['4d5a', 'Windows executable'],
  ['feedface', 'Mach-O'],
  ['feedfacf', 'Mach-O'],
  ['cefaedfe', 'Mach-O'],
  ['cffaedfe', 'Mach-O'],
  ['cafebabe', 'Mach-O or Java class'],
  ['213c617263683e0a', 'library archive'],
];
const nativeNames = /\.(node|so(\.[0-9]+)*|dll|dylib|exe|a)$/i;

/** Written backwards, so that no scanner takes this program for what it looks for. */
const knownHarm: readonly (readonly [string, string])[] = [
  ['EICAR test file', '*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$'],
  ['planted test signature', '8d41f0b7-ELPMAS-TSET-ERAWLAM-EVAEWOTUA'],
];

export function scanMembers(
  manifest: PluginManifest,
  members: ReadonlyMap<string, Uint8Array>,
): BundleRefusal | null {
  const entry = members.get(manifest.entry);
  if (entry === undefined)
    return refuse('bundle.entry-missing', '/entry', `names ${manifest.entry}, which is not a member`);
  if (!manifest.entry.endsWith('.mjs'))
    return refuse('bundle.entry-invalid', '/entry', `is ${manifest.entry}; an ES module ends in .mjs`);
  if (entry.length === 0 || entry.length > bundleLimits.entryBytes || !isUtf8(entry))
    return refuse(
      'bundle.entry-invalid',
      manifest.entry,
      `must be UTF-8 text of 1 to ${bundleLimits.entryBytes} bytes; it has ${entry.length}`,
    );
  for (const [path, bytes] of members) {
    const found = nativeKind(path, bytes);
    if (found !== null) return refuse('bundle.native-code', path, `is native code (${found})`);
    const harm = knownHarm.find(([, backwards]) => contains(bytes, [...backwards].reverse().join('')));
    if (harm !== undefined) return refuse('bundle.malware', path, `contains known malware (${harm[0]})`);
  }
  return checkConfigSchema(manifest);
}

function nativeKind(path: string, bytes: Uint8Array): string | null {
  if (nativeNames.test(path)) return 'by its name';
  const start = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  return nativeStarts.find(([magic]) => start.startsWith(magic))?.[1] ?? null;
}

function contains(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text, 0, 'latin1');
}

/** The runtime compiles it to check the operator's configuration: it must be one. */
function checkConfigSchema({ configSchema }: PluginManifest): BundleRefusal | null {
  if (configSchema === undefined) return null;
  const verdict = checkByForeignSchema(configSchema, {});
  if (verdict.ok || verdict.what === 'value') return null;
  return refuse(
    'bundle.config-schema-invalid',
    '/configSchema',
    `is no JSON Schema that can be used: ${verdict.problem.message}`,
  );
}
