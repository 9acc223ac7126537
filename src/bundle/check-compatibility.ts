// A verified manifest against the appliance: plugin API, processor, the plugins it builds on.
import { type PluginManifest, pluginApiVersion } from '../contracts/plugin-manifest.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';
import { compareVersions } from './compare-versions.ts';

export interface HostFacts {
  /** As `process.arch`. */
  readonly arch: string;
  /** name -> version of the plugins that are there. */
  readonly installed: ReadonlyMap<string, string>;
  readonly apiVersion?: string;
}

export function checkCompatibility(manifest: PluginManifest, host: HostFacts): BundleRefusal | null {
  const api = host.apiVersion ?? pluginApiVersion;
  const [major, minor] = numbersOf(manifest.api);
  const [hostMajor, hostMinor] = numbersOf(api);
  if (major !== hostMajor || minor > hostMinor)
    return refuse(
      'bundle.api-incompatible',
      '/api',
      `is ${manifest.api}, and this appliance has plugin API ${api}`,
    );
  if (manifest.platforms !== undefined && !manifest.platforms.some((each) => each === host.arch))
    return refuse(
      'bundle.platform-incompatible',
      '/platforms',
      `are ${manifest.platforms.join(', ')}, and this appliance is ${host.arch}`,
    );
  for (const [index, { plugin, atLeast }] of (manifest.requires ?? []).entries()) {
    const version = host.installed.get(plugin);
    if (version === undefined || compareVersions(version, atLeast) < 0)
      return refuse(
        'bundle.dependency-missing',
        `/requires/${index}`,
        `needs ${plugin} ${atLeast} or later, and ${version === undefined ? 'it is not installed' : `${version} is installed`}`,
      );
  }
  return null;
}

function numbersOf(version: string): readonly [number, number] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}
