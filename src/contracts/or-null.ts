// A schema -> the same, or null. A value that is known to be missing is said, not left out.
import { Type } from 'typebox';

export const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
