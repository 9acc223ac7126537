// Secrets sealed by an earlier import, and a new file -> which of them are still good. Pure.
import type { Config } from '../contracts/config.ts';
import { isNamedList, keepItems } from './named-list.ts';
import { keysOf, sections } from './schema-node.ts';
import type { Secrets } from './split-secrets.ts';

const namedLists = Object.keys(sections).flatMap((section) =>
  Object.entries(keysOf(section)).flatMap(([key, node]) =>
    isNamedList(node) ? [[section, key] as const] : [],
  ),
);

/**
 * A password goes to the broker it was given for and to no other: otherwise whoever edits the address in the file, which has no
 * secret in it any more, would have the appliance send him the sealed one.
 */
const boundToBroker: readonly string[] = ['uplink.password', 'uplink.url'];
const brokerFields = ['url', 'username', 'caFile'] as const;

export function keepSecrets(options: {
  readonly sealed: Secrets;
  /** What was in force when they were sealed, without secrets; null: not known. */
  readonly before: Config | null;
  readonly after: Config;
  /** What the new file brings. */
  readonly fresh: Secrets;
}): { readonly secrets: Secrets; readonly dropped: readonly string[] } {
  const { sealed, before, after, fresh } = options;
  const isSameBroker =
    before !== null && brokerFields.every((key) => before.uplink[key] === after.uplink[key]);
  const secrets: Record<string, Record<string, unknown>> = {};
  const dropped: string[] = [];
  for (const [section, content] of Object.entries(sealed)) {
    for (const [key, value] of Object.entries(content)) {
      const field = `${section}.${key}`;
      if (isNamedList(keysOf(section)[key] ?? {})) continue;
      if (isSameBroker || !boundToBroker.includes(field))
        secrets[section] = { ...secrets[section], [key]: value };
      else if (fresh[section]?.[key] === undefined) dropped.push(field);
    }
  }
  for (const [section, content] of Object.entries(fresh)) {
    secrets[section] = { ...secrets[section], ...content };
  }
  for (const [section, key] of namedLists) {
    const list = (after as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[section]?.[key];
    const items = keepItems(sealed[section]?.[key], list, fresh[section]?.[key]);
    dropped.push(...items.dropped.map((name) => `${section}.${key}.${name}`));
    if (items.kept.length > 0) secrets[section] = { ...secrets[section], [key]: items.kept };
  }
  return { secrets, dropped };
}
