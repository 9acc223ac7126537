// What the patterns of the section `network` and `time` cannot say: addresses that a host can have, gateways that can be reached.
import { isIP, isIPv4 } from 'node:net';
import type { Config } from '../contracts/config.ts';
import { ipv4Number, parseIpv4Network } from '../lib/parse-ipv4-network.ts';
import { parseTimeServer } from '../lib/parse-time-server.ts';
import type { ConfigProblem } from './config-problem.ts';

interface Place {
  readonly path: string;
  readonly address: string;
  readonly gateway?: string | undefined;
}

export function networkChecks({ network, time }: Config): ConfigProblem[] {
  const { address, gateway, interfaces = [], dns = [] } = network;
  const named = interfaces.map((entry, index) => ({ path: `network.interfaces.${index}`, ...entry }));
  const places: readonly Place[] = [{ path: 'network', address, gateway }, ...named];
  return [
    ...places.flatMap(addressProblems),
    ...named.flatMap(({ path, name }, index) =>
      name === 'lo' || interfaces.findIndex((other) => other.name === name) < index
        ? [notAllowed(`${path}.name`, `is "${name}"`, 'Name each wired interface once.')]
        : [],
    ),
    ...dns.flatMap((server, index) =>
      isIP(server) === 0
        ? [notAllowed(`network.dns.${index}`, `is no address: "${server}"`, 'Write an IPv4 or IPv6 address.')]
        : [],
    ),
    ...time.servers.flatMap((server, index) =>
      parseTimeServer(server) === null
        ? [
            notAllowed(
              `time.servers.${index}`,
              `is no host: "${server}"`,
              'Write it as host, host:port, or [IPv6 address]:port.',
            ),
          ]
        : [],
    ),
  ];
}

function addressProblems({ path, address, gateway }: Place): ConfigProblem[] {
  if (address === 'dhcp') {
    if (gateway === undefined) return [];
    const message = `${path}.gateway is set, but the address comes from DHCP, which names the gateway`;
    return [conflict(`${path}.gateway`, message, `Set ${path}.address too, or remove the gateway.`)];
  }
  const parsed = parseIpv4Network(address);
  if (parsed === null)
    return [
      notAllowed(
        `${path}.address`,
        `is no address that a host can have: "${address}"`,
        'Write it with its prefix, such as 192.168.1.20/24, or dhcp.',
      ),
    ];
  if (gateway === undefined) return [];
  if (!isIPv4(gateway))
    return [
      notAllowed(`${path}.gateway`, `is no IPv4 address: "${gateway}"`, 'Write the address of the router.'),
    ];
  const number = ipv4Number(gateway);
  if (number >= parsed.first && number <= parsed.last && gateway !== parsed.address) return [];
  const message = `${path}.gateway ${gateway} is not another address of the network of ${address}`;
  return [conflict(`${path}.gateway`, message, 'Correct one of them: a gateway is a neighbour.')];
}

function notAllowed(path: string, what: string, remedy: string): ConfigProblem {
  return { code: 'config.not-allowed', path, message: `${path} ${what}`, remedy };
}

function conflict(path: string, message: string, remedy: string): ConfigProblem {
  return { code: 'config.conflict', path, message, remedy };
}
