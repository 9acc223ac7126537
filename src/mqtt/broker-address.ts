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

export interface ProxyAddress {
  readonly kind: 'http' | 'socks';
  readonly host: string;
  readonly port: number;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** `socks5://host:port`, the form that mqtt.js's own SOCKS client takes. */
  readonly url: string;
  readonly shown: string;
}

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
  const kind = url.protocol === 'http:' ? 'http' : 'socks';
  const port = url.port === '' ? (kind === 'http' ? 80 : 1080) : Number(url.port);
  const hasCredentials = url.username !== '' || url.password !== '';
  if (kind === 'socks' && hasCredentials)
    throw new MqttError(
      'mqtt.bad-address',
      'uplink.proxy: SOCKS with a user name is not supported; use an http:// proxy, or one that admits this address without',
    );
  const shown = `${url.protocol}//${url.hostname}:${port}`;
  return {
    kind,
    host: bareHost(url),
    port,
    credentials: hasCredentials
      ? { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
      : null,
    url: shown,
    shown,
  };
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
