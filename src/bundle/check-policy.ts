// A verified manifest against the operator's policy: the first thing it asks for and may not have.
import { levelResources, type PluginManifest } from '../contracts/plugin-manifest.ts';
import type { PluginPolicy } from '../contracts/plugin-policy.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';

export function checkPolicy(manifest: PluginManifest, policy: PluginPolicy): BundleRefusal | null {
  const { name, channel, level, permissions } = manifest;
  if (policy.names?.includes(name) === false)
    return denied('/name', `${name} is not among the plugins allowed here`);
  if (!policy.channels.includes(channel)) return denied('/channel', `${channel} is not allowed here`);
  if (!policy.levels.includes(level)) return denied('/level', `${level} is not allowed here`);

  const { memoryMaxBytes, cpuMaxPercent } = manifest.resources ?? levelResources[level];
  if (memoryMaxBytes > policy.memoryMaxBytes)
    return denied(
      '/resources/memoryMaxBytes',
      `asks for ${memoryMaxBytes}; at most ${policy.memoryMaxBytes} is allowed`,
    );
  if (cpuMaxPercent > policy.cpuMaxPercent)
    return denied(
      '/resources/cpuMaxPercent',
      `asks for ${cpuMaxPercent}; at most ${policy.cpuMaxPercent} is allowed`,
    );

  if ((permissions.emit?.length ?? 0) > 0 && !policy.emit)
    return denied('/permissions/emit', 'is not allowed here');
  if (permissions.mqtt !== undefined && !policy.mqtt)
    return denied('/permissions/mqtt', 'is not allowed here');
  const kv = permissions.kv?.maxBytes ?? 0;
  if (kv > policy.kvMaxBytes)
    return denied('/permissions/kv/maxBytes', `asks for ${kv}; at most ${policy.kvMaxBytes} is allowed`);
  const { serial: allowed } = policy;
  if (allowed === 'any') return null;
  for (const [index, { vendor, product }] of (permissions.serial ?? []).entries()) {
    // A rule without product allows every product of the vendor, and only such a rule allows to ask for all.
    const isAllowed = allowed.some(
      (rule) => rule.vendor === vendor && (rule.product === undefined || rule.product === product),
    );
    if (!isAllowed)
      return denied(`/permissions/serial/${index}`, `${vendor}:${product ?? 'any'} is not allowed here`);
  }
  return null;
}

function denied(field: string, why: string): BundleRefusal {
  return refuse('bundle.policy-denied', field, why);
}
