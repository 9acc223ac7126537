// The configuration's schema seen as plain JSON Schema: what defaults, the environment, messages and redaction walk over.
import { Config } from '../contracts/config.ts';

export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly secret?: boolean;
}

export const rootNode: SchemaNode = Config;

export const sections: Readonly<Record<string, SchemaNode>> = rootNode.properties ?? {};

export function keysOf(section: string): Readonly<Record<string, SchemaNode>> {
  return (Object.hasOwn(sections, section) ? sections[section]?.properties : undefined) ?? {};
}

/** The schema of `section.key`, of a section, or of an item of a list (`usb.monitorCommand.0`). */
export function nodeAt(path: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = rootNode;
  for (const step of path) {
    const properties: SchemaNode['properties'] = node?.properties;
    node = properties !== undefined && Object.hasOwn(properties, step) ? properties[step] : node?.items;
  }
  return node;
}
