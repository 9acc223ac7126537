// A verified manifest -> whether it may run on this appliance, with which limits and which configuration. Pure.
import { checkCompatibility } from '../../bundle/check-compatibility.ts';
import { checkPolicy } from '../../bundle/check-policy.ts';
import type { PluginsConfig } from '../../contracts/config/plugins-config.ts';
import {
  levelResources,
  type PluginManifest,
  type PluginResources,
} from '../../contracts/plugin-manifest.ts';
import { defaultPluginPolicy } from '../../contracts/plugin-policy.ts';
import { checkByForeignSchema } from '../../lib/check-by-foreign-schema.ts';

export type Judgement =
  | { readonly ok: true; readonly resources: PluginResources; readonly settings: unknown }
  | { readonly ok: false; readonly code: string; readonly reason: string };

export function judgeManifest(
  manifest: PluginManifest,
  host: {
    readonly config: PluginsConfig;
    readonly arch: string;
    readonly installed: ReadonlyMap<string, string>;
  },
): Judgement {
  const refusal =
    checkCompatibility(manifest, { arch: host.arch, installed: host.installed }) ??
    checkPolicy(manifest, host.config.policy ?? defaultPluginPolicy);
  if (refusal !== null) return { ok: false, code: refusal.code, reason: refusal.reason };
  const settings = host.config.settings[manifest.name] ?? {};
  if (manifest.configSchema !== undefined) {
    const verdict = checkByForeignSchema(manifest.configSchema, settings);
    if (!verdict.ok) {
      const { path, message } = verdict.problem;
      const field = `plugins.settings.${manifest.name}${path.replaceAll('/', '.')}`;
      const reason =
        verdict.what === 'value'
          ? `${field} ${message}: correct it in the configuration`
          : `${field} cannot be checked by the plugin's configSchema (${message}): its author must correct that`;
      return { ok: false, code: 'plugins.config-refused', reason };
    }
  }
  return { ok: true, resources: manifest.resources ?? levelResources[manifest.level], settings };
}
