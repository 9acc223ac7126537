// Lists of named objects in the configuration (uplink.webhooks), item by item: defaults, and secrets parted, kept and joined. Pure.
import type { SchemaNode } from './schema-node.ts';

type Item = Readonly<Record<string, unknown>>;

/** A secret belongs to the item of this name at this address: who edits the address does not get it. */
const identity = ['name', 'url'] as const;

export function isNamedList({ type, items }: SchemaNode): boolean {
  return type === 'array' && items?.properties?.name !== undefined;
}

/** The list as it is, or nothing for what is no list of objects: the schema's check says so. */
export function itemsOf(value: unknown): readonly Item[] {
  return Array.isArray(value) ? value.filter(isItem) : [];
}

/** Each item with the defaults of what it leaves out; anything else unchanged. */
export function fillItems(value: unknown, { items }: SchemaNode): unknown {
  if (!Array.isArray(value)) return value;
  const defaults = Object.entries(items?.properties ?? {}).filter(
    ([, { default: value }]) => value !== undefined,
  );
  return value.map((item: unknown) =>
    isItem(item)
      ? {
          ...Object.fromEntries(defaults.map(([key, node]) => [key, structuredClone(node.default)])),
          ...item,
        }
      : item,
  );
}

/** The items without secrets, and the secrets with what they belong to. */
export function partItems(
  list: readonly Item[],
  { items }: SchemaNode,
): { readonly bare: readonly Item[]; readonly secrets: readonly Item[] } {
  const isSecret = (key: string) => items?.properties?.[key]?.secret === true;
  const pick = (item: Item, wanted: (key: string) => boolean): Item =>
    Object.fromEntries(Object.entries(item).filter(([key]) => wanted(key)));
  const isIdentity = (key: string) => (identity as readonly string[]).includes(key);
  return {
    bare: list.map((item) => pick(item, (key) => !isSecret(key))),
    secrets: list
      .filter((item) => Object.keys(item).some(isSecret))
      .map((item) => pick(item, (key) => isSecret(key) || isIdentity(key))),
  };
}

/** What was sealed for an item of the list is added to it, unless the item says it itself. */
export function joinItems(list: unknown, sealed: unknown): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((item: unknown) => {
    if (!isItem(item)) return item;
    return { ...itemsOf(sealed).find((candidate) => isSame(candidate, item)), ...item };
  });
}

/** Sealed items that are still good for the list `after`, under the fresh ones; and the names of those whose address changed. */
export function keepItems(
  sealed: unknown,
  after: unknown,
  fresh: unknown,
): { readonly kept: readonly Item[]; readonly dropped: readonly string[] } {
  const listed = itemsOf(after);
  const isNew = ({ name }: Item) => itemsOf(fresh).some((item) => item.name === name);
  const good = itemsOf(sealed).filter((item) => listed.some((candidate) => isSame(candidate, item)));
  const dropped = itemsOf(sealed).filter(
    (item) => !good.includes(item) && !isNew(item) && listed.some(({ name }) => name === item.name),
  );
  return {
    kept: [
      ...good.filter((item) => !isNew(item)),
      ...itemsOf(fresh).map((item) => ({ ...good.find(({ name }) => name === item.name), ...item })),
    ],
    dropped: dropped.map(({ name }) => String(name)),
  };
}

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(a: Item, b: Item): boolean {
  return identity.every((key) => a[key] === b[key]);
}
