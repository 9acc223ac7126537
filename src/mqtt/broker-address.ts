// The configured broker and proxy addresses -> where to connect, and a text without secrets for logs and health.
import { MqttError } from './mqtt-error.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Path and query of a WebSocket address, null for plain MQTT. */
  readonly webSocketPath: string | null;
  /** `mqtts://broker.example:8883`: never with a path, query or credentials, which may be secret. */
  readonly shown: string;
}

interface AnyProxy {
  readonly host: string;
  readonly port: number;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  readonly shown: string;
}
export interface HttpProxyAddress extends AnyProxy {
  readonly kind: 'http';
}
export interface SocksProxyAddress extends AnyProxy {
  readonly kind: 'socks';
  readonly version: 4 | 5;
  /** The proxy looks the broker's name up (socks5h). */
  readonly resolvesNames: boolean;
}
export type ProxyAddress = HttpProxyAddress | SocksProxyAddress;

const brokerPorts: Readonly<Record<string, number>> = {
  'mqtt:': 1883,
  'mqtts:': 8883,
  'ws:': 80,
  'wss:': 443,
};

export function parseBrokerAddress(text: string): BrokerAddress {
  const url = parseUrl(text, 'uplink.url');
  const defaultPort = brokerPorts[url.protocol];
  if (defaultPort === undefined)
    throw new MqttError('mqtt.bad-address', `uplink.url: ${url.protocol}// is not mqtt, mqtts, ws or wss`);
  if (url.username !== '' || url.password !== '')
    throw new MqttError(
      'mqtt.bad-address',
      'uplink.url holds credentials, which would be shown wherever the address is: move them to uplink.username and uplink.password',
    );
  const port = url.port === '' ? defaultPort : Number(url.port);
  return {
    host: bareHost(url),
    port,
    secure: url.protocol === 'mqtts:' || url.protocol === 'wss:',
    webSocketPath: url.protocol.startsWith('ws') ? `${url.pathname}${url.search}` : null,
    shown: `${url.protocol}//${url.hostname}:${port}`,
  };
}

export function parseProxyAddress(text: string): ProxyAddress {
  const url = parseUrl(text, 'uplink.proxy');
  const isHttp = url.protocol === 'http:';
  const port = url.port === '' ? (isHttp ? 80 : 1080) : Number(url.port);
  const credentials =
    url.username !== '' || url.password !== ''
      ? { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
      : null;
  const common = {
    host: bareHost(url),
    port,
    credentials,
    shown: `${url.protocol}//${url.hostname}:${port}`,
  };
  if (isHttp) return { kind: 'http', ...common };
  const version = url.protocol === 'socks4:' ? 4 : 5;
  if (version === 4 && url.password !== '')
    throw new MqttError('mqtt.bad-address', 'uplink.proxy: SOCKS 4 knows no passwords; use socks5://');
  // RFC 1929: both lengths are one byte, and neither is 0.
  if (version === 5 && credentials !== null && !Object.values(credentials).every(fitsOneByte))
    throw new MqttError(
      'mqtt.bad-address',
      'uplink.proxy: user name and password of SOCKS 5 must both be there, with 255 bytes at most',
    );
  return { kind: 'socks', version, resolvesNames: url.protocol === 'socks5h:', ...common };
}

function fitsOneByte(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return bytes > 0 && bytes <= 255;
}

function parseUrl(text: string, setting: string): URL {
  // The text is not repeated: it may hold a password.
  if (!URL.canParse(text))
    throw new MqttError('mqtt.bad-address', `${setting} is not an address like mqtt://host:port`);
  const url = new URL(text);
  if (url.hostname === '') throw new MqttError('mqtt.bad-address', `${setting} names no host`);
  return url;
}

/** IPv6 addresses stand in brackets in a URL and nowhere else. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}
