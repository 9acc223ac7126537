// What the patterns of the section `network` and `time` cannot say: addresses that a host can have, gateways that can be reached.
import { isIP, isIPv4 } from 'node:net';
import type { Config } from '../contracts/config.ts';
import { ipv4Number, parseIpv4Network } from '../lib/parse-ipv4-network.ts';
import { ipv6Number, isLinkLocal, parseIpv6Network } from '../lib/parse-ipv6-network.ts';
import { parseTimeServer } from '../lib/parse-time-server.ts';
import type { ConfigProblem } from './config-problem.ts';

interface Place {
  readonly path: string;
  readonly address: string;
  readonly gateway?: string | undefined;
  readonly address6: string;
  readonly gateway6?: string | undefined;
}

export function networkChecks({ network, time }: Config): ConfigProblem[] {
  const { interfaces = [], dns = [] } = network;
  const named = interfaces.map((entry, index) => ({ path: `network.interfaces.${index}`, ...entry }));
  const places: readonly Place[] = [{ path: 'network', ...network }, ...named];
  return [
    ...places.flatMap((place) => [...addressProblems(place), ...address6Problems(place)]),
    ...named.flatMap(({ path, name }, index) =>
      name === 'lo' || interfaces.findIndex((other) => other.name === name) < index
        ? [notAllowed(`${path}.name`, `is "${name}"`, 'Name each wired interface once.')]
        : [],
    ),
    ...dns.flatMap((server, index) => dnsProblems(`network.dns.${index}`, server)),
    ...(time.servers ?? []).flatMap((server, index) =>
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
  if (address === 'dhcp' || address === 'none') {
    if (gateway === undefined) return [];
    const why =
      address === 'dhcp' ? 'the address comes from DHCP, which names the gateway' : 'address is none';
    const message = `${path}.gateway is set, but ${why}`;
    return [conflict(`${path}.gateway`, message, `Set ${path}.address too, or remove the gateway.`)];
  }
  if (address.includes(':'))
    return [
      notAllowed(
        `${path}.address`,
        `is for an IPv4 address, but is "${address}"`,
        `Set ${path}.address6 to it; address may then be none.`,
      ),
    ];
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

function address6Problems({ path, address6, gateway6 }: Place): ConfigProblem[] {
  if (address6 === 'auto') {
    if (gateway6 === undefined) return [];
    const message = `${path}.gateway6 is set, but address6 is auto: the router announces both`;
    return [conflict(`${path}.gateway6`, message, `Set ${path}.address6 too, or remove the gateway.`)];
  }
  const parsed = parseIpv6Network(address6);
  if (!parsed.ok)
    return [
      notAllowed(
        `${path}.address6`,
        `is "${address6}", which ${parsed.reason}`,
        'Write an address of the network with its prefix, such as 2001:db8::20/64, or auto.',
      ),
    ];
  if (gateway6 === undefined) return [];
  const number = ipv6Number(gateway6);
  if (number === null)
    return [
      notAllowed(`${path}.gateway6`, `is no IPv6 address: "${gateway6}"`, 'Write the address of the router.'),
    ];
  if (isLinkLocal(gateway6) || (parsed.has(gateway6) && number !== ipv6Number(parsed.address))) return [];
  const message = `${path}.gateway6 ${gateway6} is neither link-local nor another address of the network of ${address6}`;
  return [conflict(`${path}.gateway6`, message, 'Correct one of them: a gateway is a neighbour.')];
}

function dnsProblems(path: string, server: string): ConfigProblem[] {
  if (isIP(server) === 0)
    return [notAllowed(path, `is no address: "${server}"`, 'Write an IPv4 or IPv6 address.')];
  if (!isLinkLocal(server)) return [];
  const what = `is "${server}", which is link-local: nothing says by which interface it is reached`;
  return [notAllowed(path, what, 'Write another address of that name server.')];
}

function notAllowed(path: string, what: string, remedy: string): ConfigProblem {
  return { code: 'config.not-allowed', path, message: `${path} ${what}`, remedy };
}

function conflict(path: string, message: string, remedy: string): ConfigProblem {
  return { code: 'config.conflict', path, message, remedy };
}
