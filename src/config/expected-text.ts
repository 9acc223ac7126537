// A schema -> what it wants, in words.
import type { SchemaNode } from './schema-node.ts';

/** `an integer from 0 to 10000`, `one of "auto", "5", "3.1.1"`, `text that matches ^/`. */
export function expectedText(node: SchemaNode): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return oneOf(node.enum);
  if (node.anyOf !== undefined) {
    const constants = node.anyOf.map((member) => member.const);
    return constants.every((value) => value !== undefined)
      ? oneOf(constants)
      : node.anyOf.map(expectedText).join(', or ');
  }
  switch (node.type) {
    case 'integer':
      return `an integer${rangeText(node)}`;
    case 'number':
      return `a number${rangeText(node)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list${node.minItems === undefined ? '' : ` of at least ${node.minItems}`}, each ${expectedText(node.items ?? {})}`;
    case 'object':
      return 'an object';
    case 'null':
      return 'null';
    default:
      return textText(node);
  }
}

function oneOf(values: readonly unknown[]): string {
  return `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
}

function rangeText({ minimum, maximum }: SchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}

function textText({ pattern, minLength, maxLength }: SchemaNode): string {
  if (pattern === '^/') return 'an absolute path (it begins with /)';
  if (pattern !== undefined) return `text that matches ${pattern}`;
  if (maxLength !== undefined) return `text of ${minLength ?? 0} to ${maxLength} characters`;
  return minLength === undefined ? 'text' : 'text that is not empty';
}
