// Our configuration -> mqtt.js's options. What mqtt.js would do by itself (reconnect, re-send, queue) is off.
import { type IClientOptions, Store } from 'mqtt';
import type { ConnectionOptions } from './mqtt-connection.ts';

const QUOTA_EXCEEDED = 0x97;

interface Inbound {
  readonly maximumPacketSize: number;
  readonly receiveMaximum: number;
}

export function toClientOptions(
  { address, clientId, config, inbound: limit, protocolVersion, stream, will }: ConnectionOptions,
  inbound: Inbound,
): IClientOptions {
  const isV5 = protocolVersion === 5;
  const willProperties = isV5 ? { properties: { contentType: 'application/json' } } : {};
  return {
    manualConnect: true,
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    outgoingStore: forgetfulStore(),
    // Its table of 65,536 small buffers costs 8 MB and saves nothing that can be measured.
    writeCache: false,
    log: () => undefined,
    protocolVersion,
    clientId,
    clean: false,
    keepalive: config.keepAliveSeconds,
    // Pings are sent on time, however busy the connection: an answer is the sign of life, and no timer moves with every PUBACK.
    reschedulePings: false,
    timerVariant: 'native',
    connectTimeout: config.connectTimeoutMs,
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    will: { topic: will.topic, payload: will.payload, qos: 1, retain: true, ...willProperties },
    // What comes too fast is not handled, and its sender hears so; 3.1.1 has no answer for that.
    ...(isV5 && {
      customHandleAcks: (_topic, _payload, _packet, done) => done(limit.admit() ? 0 : QUOTA_EXCEEDED),
    }),
    ...(isV5 && { properties: { sessionExpiryInterval: config.sessionExpirySeconds, ...inbound } }),
    ...(address.webSocketPath !== null && {
      protocol: address.secure ? 'wss' : 'ws',
      hostname: address.host.includes(':') ? `[${address.host}]` : address.host,
      port: address.port,
      path: address.webSocketPath,
      wsOptions: {
        // The connection is already open, through the proxy and TLS.
        createConnection: () => stream,
        handshakeTimeout: config.connectTimeoutMs,
        perMessageDeflate: false,
        followRedirects: false,
        maxPayload: inbound.maximumPacketSize + 5,
      } as NonNullable<IClientOptions['wsOptions']>,
    }),
  };
}

/** mqtt.js keeps every QoS 1 message until its PUBACK, to send it again; here the buffer's cursor does that. */
function forgetfulStore(): Store {
  const store = new Store();
  store.put = (_packet, stored) => {
    stored();
    return store;
  };
  store.del = (_packet, deleted) => {
    deleted();
    return store;
  };
  return store;
}
