// Kinds of settings that several sections have.
import { Type } from 'typebox';

export const closed = { additionalProperties: false } as const;

export const Path = (description: string, fallback: string) =>
  Type.String({ pattern: '^/', default: fallback, description: `Absolute path. ${description}` });

export const OptionalPath = (description: string) =>
  Type.Optional(Type.String({ pattern: '^/', description: `Absolute path. ${description}` }));

/** `secret: true` marks what is printed as [redacted]. */
export const Secret = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, description, secret: true }));
