// Wired addresses of the image. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed } from './config-types.ts';

// The patterns say what an address is made of; src/config/network-checks.ts says what is wrong with one, and where it belongs.
const Address = (description: string) =>
  Type.String({ pattern: '^(dhcp|none|[0-9A-Fa-f.:]+(/[0-9]{1,3})?)$', default: 'dhcp', description });

const Address6 = (description: string) =>
  Type.String({ pattern: '^(auto|[0-9A-Fa-f.:]+(/[0-9]{1,3})?)$', default: 'auto', description });

const Gateway = Type.Optional(
  Type.String({
    pattern: '^[0-9.]+$',
    description: 'IPv4 address of the router; of a static address alone.',
  }),
);

const Gateway6 = Type.Optional(
  Type.String({
    pattern: '^[0-9A-Fa-f.:]+$',
    description:
      'IPv6 address of the router, which may be link-local; of a static address6 alone. Left out: the router that announces itself.',
  }),
);

export const NetworkConfig = Type.Object(
  {
    address: Address(
      'dhcp, or the IPv4 address and prefix of the first wired interface, such as 192.168.1.20/24, or none: IPv6 alone. Others ask DHCP.',
    ),
    gateway: Gateway,
    address6: Address6(
      'auto: what a router announces (SLAAC); or the IPv6 address and prefix of the first wired interface, such as 2001:db8::20/64, in its place.',
    ),
    gateway6: Gateway6,
    dns: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9A-Fa-f.:]+$' }), {
        minItems: 1,
        maxItems: 3,
        description: 'IPv4 or IPv6 addresses of name servers; left out: those that DHCP names.',
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
            address: Address('dhcp, IPv4 address and prefix, or none.'),
            gateway: Gateway,
            address6: Address6('auto, or IPv6 address and prefix.'),
            gateway6: Gateway6,
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
