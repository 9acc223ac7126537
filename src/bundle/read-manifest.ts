// First member of the tar -> the manifest, by its schema, in its one spelling.
import { PluginManifest } from '../contracts/plugin-manifest.ts';
import { schemaCheck } from '../lib/schema-check.ts';
import { bundleLimits, manifestPath } from './bundle-limits.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';
import type { TarMember } from './tar.ts';

type Verdict = { readonly ok: true; readonly manifest: PluginManifest } | BundleRefusal;

/** A configuration schema may nest; what writes it out again would run out of stack some thousands deep. */
const maxDepth = 64;

export const checkManifest = schemaCheck(PluginManifest);

export function readManifest(first: TarMember | undefined): Verdict {
  if (first?.path !== manifestPath)
    return refuse('bundle.manifest-missing', manifestPath, 'is not the first member');
  if (first.bytes.length > bundleLimits.manifestBytes)
    return refuse(
      'bundle.manifest-malformed',
      manifestPath,
      `has ${first.bytes.length} bytes; at most ${bundleLimits.manifestBytes} may be`,
    );
  const text = Buffer.from(first.bytes).toString('utf8');
  const value = parseJson(text);
  if (value === undefined) return refuse('bundle.manifest-malformed', manifestPath, 'is not JSON');
  const tooDeep = refuseTooDeep(value);
  if (tooDeep !== null) return tooDeep;
  const checked = checkManifest(value);
  if (!checked.ok) {
    const { path = '', message = '' } = checked.problems[0] ?? {};
    return refuse(
      'bundle.manifest-invalid',
      path === '' ? manifestPath : path,
      `${message} (in ${manifestPath})`,
    );
  }
  // A key that is written twice would mean one thing here and another elsewhere.
  if (manifestText(checked.value) !== text)
    return refuse(
      'bundle.manifest-malformed',
      manifestPath,
      'is not spelled as `autoweave plugin build` does',
    );
  return { ok: true, manifest: checked.value };
}

export function manifestText(manifest: PluginManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

export function refuseTooDeep(value: unknown): BundleRefusal | null {
  if (!isDeeperThan(maxDepth, value)) return null;
  return refuse('bundle.manifest-malformed', manifestPath, `is nested more than ${maxDepth} deep`);
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
