// A manifest's subscriptions -> whether an event is for the plugin. Events about itself are not: it would answer itself for ever.
import type { StoredEvent } from '../../contracts/event.ts';

export function wantsEvent(name: string, subscriptions: readonly string[]): (event: StoredEvent) => boolean {
  const exact = new Set(subscriptions.filter((pattern) => !pattern.endsWith('.*')));
  const prefixes = subscriptions.filter((pattern) => pattern.endsWith('.*')).map((each) => each.slice(0, -1));
  const own = `plugin/${name}`;
  return ({ json, type }) => {
    if (!exact.has(type) && !prefixes.some((prefix) => type.startsWith(prefix))) return false;
    const isAboutPlugins = type.startsWith('plugin.') || type.startsWith('security.');
    return !isAboutPlugins || (JSON.parse(json) as { readonly subject: string }).subject !== own;
  };
}
