// Which LEDs show the state. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed, Path } from './config-types.ts';

export const LedsConfig = Type.Object(
  {
    root: Path('Where the kernel lists its LEDs.', '/sys/class/leds'),
    names: Type.Array(Type.String({ pattern: '^[^/]{1,63}$' }), {
      maxItems: 8,
      default: [],
      description:
        'Folders there that show the state; empty: those that are made for it (`green:status`, `ACT`), if any.',
    }),
  },
  closed,
);
export type LedsConfig = Static<typeof LedsConfig>;
