// Time servers -> the settings of chronyd. It asks and never answers: no port is open, its command socket is a file.
import { parseTimeServer } from '../../lib/parse-time-server.ts';

/** Asked where the configuration names no server, beside those that DHCP names. */
const fallbackServer = 'pool.ntp.org';

/** @param servers undefined: those of DHCP, which udhcpc's script puts into the folder below, and the fallback. */
export function chronyConf(servers: readonly string[] | undefined): string {
  const sources = (servers ?? [fallbackServer]).flatMap((server) => {
    const parsed = parseTimeServer(server);
    if (parsed === null) return [];
    // A pool's name stands for many servers.
    const kind = /(^|\.)pool\./.test(parsed.host) ? 'pool' : 'server';
    return [`${kind} ${parsed.host} port ${parsed.port} iburst`];
  });
  return `${[
    ...sources,
    ...(servers === undefined ? ['sourcedir /run/chrony-dhcp'] : []),
    'driftfile /var/lib/chrony/drift',
    'pidfile /run/chrony/chronyd.pid',
    'bindcmdaddress /run/chrony/chronyd.sock',
    // A box that was years without power is set right at once, also when the network comes late.
    'makestep 1 3',
    // Tells the kernel, and with it every program, that the clock is right.
    'rtcsync',
    'port 0',
    'cmdport 0',
  ].join('\n')}\n`;
}
