// Page, API and metrics. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed } from './config-types.ts';

export const StatusConfig = Type.Object(
  {
    listen: Type.String({
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address of the page, API and metrics.',
    }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8480, description: '0: any free port.' }),
    hostNames: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9.-]{1,253}$' }), {
        maxItems: 32,
        description:
          'Further DNS names under which browsers may ask for the page; addresses, localhost and the own host name always work.',
      }),
    ),
    requestsPerSecond: Type.Number({
      minimum: 1,
      default: 50,
      description: 'Sustained requests of one client address; four times as many may come at once.',
    }),
    sseClients: Type.Integer({
      minimum: 1,
      default: 32,
      description: 'Most listeners of the live event stream at once.',
    }),
    trustedProxies: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$',
          description: 'an address such as 127.0.0.1, or a network such as 192.168.1.0/24',
        }),
        {
          maxItems: 32,
          description:
            'Reverse proxies whose Forwarded or X-Forwarded-For is believed, so that lock-out, limits and audit know their clients apart. A proxy that writes neither must not stand here: its clients would write it themselves.',
        },
      ),
    ),
    public: Type.Union([Type.Literal('state'), Type.Literal('all')], {
      default: 'state',
      description:
        'What may be read without a login. state: health and state. all: what a viewer may read, for a kiosk or a scraper without a token.',
    }),
    announce: Type.Boolean({
      default: true,
      description:
        'Tell the local network where the page is (multicast DNS, _autoweave._tcp), unless it listens on loopback alone.',
    }),
    tls: Type.Boolean({
      default: false,
      description:
        "HTTPS with the appliance's own certificate on the same port; http:// is redirected to it.",
    }),
  },
  closed,
);
export type StatusConfig = Static<typeof StatusConfig>;
