// An HTTP proxy -> a tunnel to the broker, by the CONNECT method.
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { BrokerAddress, HttpProxyAddress } from './broker-address.ts';
import { MqttError } from './mqtt-error.ts';

/** Rejects when the proxy says no, cannot be reached, or `signal` ends the waiting. */
export async function httpConnect(
  proxy: HttpProxyAddress,
  { host, port }: BrokerAddress,
  signal: AbortSignal,
): Promise<Duplex> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { username, password } = proxy.credentials ?? {};
  const login = Buffer.from(`${username}:${password}`).toString('base64');
  const request = http.request({
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...(proxy.credentials && { 'proxy-authorization': `Basic ${login}` }) },
    agent: false,
    signal,
  });
  request.end();
  // A refusal with a body may come as an ordinary response.
  const [response, socket, head] = (await Promise.race([
    once(request, 'connect'),
    once(request, 'response'),
  ])) as [IncomingMessage, Duplex?, Buffer?];
  if (response.statusCode === 200 && socket !== undefined) {
    if (head !== undefined && head.length > 0) socket.unshift(head);
    return socket;
  }
  (socket ?? response).destroy();
  const remedy =
    response.statusCode === 407
      ? 'put the user name and password into uplink.proxy'
      : `allow CONNECT to port ${port} there`;
  throw new MqttError(
    'mqtt.proxy-refused',
    `the proxy ${proxy.shown} answered ${response.statusCode}: ${remedy}`,
  );
}
