// The configuration -> the small files that the appliance's init scripts read: name, addresses, name servers, time, port, what Redis fsyncs. Pure.

import type { NetworkConfig } from '../../contracts/config/network-config.ts';
import type { Config } from '../../contracts/config.ts';
import { chronyConf } from './chrony-conf.ts';
import { hostName } from './host-name.ts';

/** File name -> content. A file that is not there means: as the system itself would have it. */
export type SystemFiles = Readonly<Record<string, string>>;

export function toSystemFiles(
  config: Pick<Config, 'appliance' | 'buffer' | 'network' | 'status' | 'time'>,
): SystemFiles {
  const { appliance, buffer, network, status, time } = config;
  const { dns = [] } = network;
  return {
    hostname: `${hostName(appliance.name)}\n`,
    interfaces: interfacesText(network),
    'page-port': `${status.port}\n`,
    'redis-fsync': `${buffer.fsync}\n`,
    ...(dns.length === 0 ? {} : { 'resolv.conf': dns.map((server) => `nameserver ${server}\n`).join('') }),
    ...(time.servers?.length === 0 ? {} : { 'chrony.conf': chronyConf(time.servers) }),
  };
}

/**
 * A line for each interface, with tabs between: name, IPv4 address with prefix or `dhcp` or `none`, gateway or `-`, IPv6 address with
 * prefix or `auto`, gateway or `-`. `*` is the first wired interface that has no line of its own; what has no line asks DHCP.
 */
function interfacesText({ interfaces = [], ...first }: NetworkConfig): string {
  return [...interfaces, { name: '*', ...first }]
    .map(({ name, address, gateway = '-', address6, gateway6 = '-' }) =>
      [name, address, gateway, address6, gateway6].join('\t'),
    )
    .map((line) => `${line}\n`)
    .join('');
}
