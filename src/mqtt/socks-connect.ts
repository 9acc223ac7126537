// A SOCKS proxy -> a tunnel to the broker (RFC 1928, user and password by RFC 1929), by the `socks` package that mqtt.js uses too.
import dns from 'node:dns/promises';
import type { Socket } from 'node:net';
import { SocksClient, type SocksClientOptions } from 'socks';
import { errorText } from '../lib/error-text.ts';
import type { BrokerAddress, SocksProxyAddress } from './broker-address.ts';
import { MqttError } from './mqtt-error.ts';
import { printable } from './reason-text.ts';

/** Rejects when the proxy says no, cannot be reached, or `signal` ends the waiting. */
export async function socksConnect(
  proxy: SocksProxyAddress,
  { host, port }: BrokerAddress,
  signal: AbortSignal,
): Promise<Socket> {
  const target = proxy.resolvesNames ? host : await addressOf(host, proxy.version);
  const { username, password } = proxy.credentials ?? {};
  const options: SocksClientOptions = {
    command: 'connect',
    destination: { host: target, port },
    proxy: {
      host: proxy.host,
      port: proxy.port,
      type: proxy.version,
      ...(username !== undefined && { userId: username }),
      ...(password !== undefined && { password }),
    },
    set_tcp_nodelay: true,
  };
  const aborted = Promise.withResolvers<never>();
  const giveUp = () =>
    aborted.reject(new MqttError('mqtt.timeout', `no answer in time from the proxy ${proxy.shown}`));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  const opening = SocksClient.createConnection(options);
  try {
    const { socket } = await Promise.race([opening, aborted.promise]);
    return socket;
  } catch (error) {
    // The package cannot be told to stop: a tunnel that opens too late is closed.
    opening.then(({ socket }) => socket.destroy()).catch(() => undefined);
    if (error instanceof MqttError) throw error;
    // Its errors carry the proxy's password in `options`: only the text goes on.
    throw new MqttError('mqtt.proxy-refused', refusalText(proxy, printable(errorText(error))));
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** SOCKS 4 knows IPv4 addresses only. */
async function addressOf(host: string, version: 4 | 5): Promise<string> {
  const { address } = await dns.lookup(host, { family: version === 4 ? 4 : 0 });
  return address;
}

function refusalText({ credentials, shown }: SocksProxyAddress, said: string): string {
  const hint = /auth/i.test(said)
    ? credentials === null
      ? ': put the user name and password into uplink.proxy'
      : ': check the user name and password in uplink.proxy'
    : '';
  return `no connection through the proxy ${shown}: ${said}${hint}`;
}
