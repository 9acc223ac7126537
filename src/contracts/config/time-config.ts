// Time servers of the image. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed } from './config-types.ts';

export const TimeConfig = Type.Object(
  {
    servers: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9.:[\\]-]{1,260}$' }), {
        maxItems: 8,
        description:
          'NTP servers, host or host:port, and no others. Left out: those that DHCP names, and pool.ntp.org. An empty list: the clock is left alone.',
      }),
    ),
  },
  { ...closed, description: "Of the appliance's image; an ordinary host sets its own clock." },
);
export type TimeConfig = Static<typeof TimeConfig>;
