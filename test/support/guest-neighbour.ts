// What is at the other end of the cable between eth1 and eth2 of a guest (QemuOptions.wire): a router with servers for DHCP and time, which
// are the guest's own programs in a network namespace that eth2 is moved to.
import type { GuestShell } from './guest-shell.ts';

export interface Neighbour {
  /** Runs a script beside the router's servers. */
  must: GuestShell['must'];
  /** The numbers of the options that the next DHCP client asks for (RFC 2132, 9.8). */
  askedOfDhcp(): Promise<readonly number[]>;
  /** DHCP gives 192.0.2.20, and names the time server 192.0.2.1, which is this neighbour. */
  startServers(): Promise<void>;
}

/** A client tries every 20 s or so. */
const limitMs = 300_000;
const timeConf = ['local stratum 1', 'allow', 'cmdport 0', 'bindcmdaddress /', 'pidfile /run/neighbour.pid'];
const dhcpConf = [
  ...['interface eth2', 'start 192.0.2.20', 'end 192.0.2.20', 'lease_file /run/leases'],
  ...['pidfile /run/udhcpd.pid', 'opt subnet 255.255.255.0', 'opt ntpsrv 192.0.2.1'],
];
const printDiscover = `require("dgram").createSocket("udp4").bind(67)
  .once("message", (bytes) => { console.log(bytes.toString("hex")); process.exit(); })`;

/** It has 192.0.2.1, 2001:db8::1, and behind itself 2001:db8:1::1. */
export async function neighbourOf(shell: GuestShell): Promise<Neighbour> {
  await shell.must(`
    kill "$(cat /run/udhcpc.eth2.pid)"
    unshare -n sleep 1000000 >/dev/null 2>&1 &
    echo $! >/tmp/neighbour
    until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/1/ns/net)" ]; do sleep 0.1; done
    ip link set eth2 netns $!`);
  const put = (file: string, text: string) => shell.must(`cat >${file} <<'END'\n${text}\nEND`);
  const must: GuestShell['must'] = async (script, limit = limitMs) => {
    await put('/tmp/script', script);
    return shell.must('nsenter -t "$(cat /tmp/neighbour)" -n sh -e /tmp/script', limit);
  };
  await must(`ip link set lo up; ip link set eth2 up; ip addr add 192.0.2.1/24 dev eth2
    ip -6 addr add 2001:db8::1/64 dev eth2; ip -6 addr add 2001:db8:1::1/128 dev lo`);
  return {
    must,
    askedOfDhcp: async () =>
      requestedOptions(Buffer.from((await must(`node -e '${printDiscover}'`)).trim(), 'hex')),
    async startServers() {
      await put('/tmp/time.conf', timeConf.join('\n'));
      await put('/tmp/udhcpd.conf', dhcpConf.join('\n'));
      await must(`chronyd -x -u root -f /tmp/time.conf >/dev/null 2>&1
        touch /run/leases; busybox udhcpd /tmp/udhcpd.conf >/dev/null 2>&1`);
    },
  };
}

function requestedOptions(message: Buffer): readonly number[] {
  // The fixed part and the cookie come first; an option is a number, a length and as many bytes; 0 fills, 255 ends.
  let at = 240;
  while (message[at] !== undefined && message[at] !== 255) {
    const [option, length = 0] = [message[at], message[at + 1]];
    if (option === 55) return [...message.subarray(at + 2, at + 2 + length)];
    at += option === 0 ? 1 : 2 + length;
  }
  return [];
}
