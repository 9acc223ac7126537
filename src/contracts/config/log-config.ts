// What is logged. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed } from './config-types.ts';

export const LogConfig = Type.Object(
  {
    level: Type.Union(
      [Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')],
      { default: 'info', description: 'Least important lines that are written.' },
    ),
  },
  closed,
);
export type LogConfig = Static<typeof LogConfig>;
