// Wired addresses of the image. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed } from './config-types.ts';

const StaticOrDhcp = (description: string) =>
  Type.String({ pattern: '^(dhcp|[0-9.]+/[0-9]+)$', default: 'dhcp', description });

const Gateway = Type.Optional(
  Type.String({
    pattern: '^[0-9.]+$',
    description: 'IPv4 address of the router; of a static address alone.',
  }),
);

export const NetworkConfig = Type.Object(
  {
    address: StaticOrDhcp(
      'dhcp, or the IPv4 address and prefix of the first wired interface, such as 192.168.1.20/24. Others ask DHCP.',
    ),
    gateway: Gateway,
    dns: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9A-Fa-f.:]+$' }), {
        minItems: 1,
        maxItems: 3,
        description: 'Addresses of name servers; left out: those that DHCP names.',
      }),
    ),
    interfaces: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({
              pattern: '^[A-Za-z0-9_.-]{1,15}$',
              description: 'As the kernel has it: eth0.',
            }),
            address: StaticOrDhcp('dhcp, or IPv4 address and prefix.'),
            gateway: Gateway,
          },
          closed,
        ),
        { maxItems: 16, description: 'Wired interfaces that differ, by name.' },
      ),
    ),
  },
  { ...closed, description: "Of the appliance's image; an ordinary host sets its own addresses." },
);
export type NetworkConfig = Static<typeof NetworkConfig>;
