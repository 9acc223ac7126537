// Addresses and files -> an open byte stream to the broker: TCP or a proxy's tunnel, TLS inside it where asked for.
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls, { type SecureContextOptions } from 'node:tls';
import type { UplinkConfig } from '../contracts/config/uplink-config.ts';
import { type BrokerAddress, type ProxyAddress, parseProxyAddress } from './broker-address.ts';
import { explainDialError } from './explain-dial-error.ts';
import { httpConnect } from './http-connect.ts';
import { readTlsFiles } from './read-tls-files.ts';
import { socksConnect } from './socks-connect.ts';

/** Rejects with an MqttError. Whoever gets the stream must listen to its `error`. `signal` ends the dialling only. */
export async function dialBroker(
  address: BrokerAddress,
  config: UplinkConfig,
  signal: AbortSignal,
): Promise<Duplex> {
  const files = address.secure ? await readTlsFiles(config) : null;
  const proxy = config.proxy === undefined ? null : parseProxyAddress(config.proxy);
  let stream: Duplex | undefined;
  try {
    stream = await openTunnel(address, proxy, signal);
    if (files !== null) stream = await secure(stream, address, files, signal);
    return stream;
  } catch (error) {
    stream?.destroy();
    throw explainDialError(error, address, proxy);
  }
}

async function openTunnel(
  address: BrokerAddress,
  proxy: ProxyAddress | null,
  signal: AbortSignal,
): Promise<Duplex> {
  if (proxy?.kind === 'http') return keepQuiet(await httpConnect(proxy, address, signal));
  if (proxy?.kind === 'socks') return keepQuiet(await socksConnect(proxy, address, signal));
  const socket = net.connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true });
  await opened(socket, 'connect', signal);
  return keepQuiet(socket);
}

async function secure(
  socket: Duplex,
  { host }: BrokerAddress,
  files: SecureContextOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  const secured = tls.connect({
    ...files,
    socket,
    host,
    // SNI takes names only (RFC 6066 section 3).
    ...(net.isIP(host) === 0 && { servername: host }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  });
  await opened(secured, 'secureConnect', signal);
  return keepQuiet(secured);
}

async function opened(socket: net.Socket, event: string, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, event, { signal });
  } catch (error) {
    keepQuiet(socket).destroy();
    throw error;
  }
}

/** Between two owners a stream may fail; without any listener that would end the process. Its `close` still tells the owner. */
function keepQuiet<S extends Duplex>(stream: S): S {
  return stream.on('error', () => undefined);
}
