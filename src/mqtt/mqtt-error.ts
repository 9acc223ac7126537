import { AppError } from '../lib/app-error.ts';

/** Why there is no connection to the broker. */
export type MqttErrorCode =
  /** The configured address, proxy or their credentials cannot be used as written. */
  | 'mqtt.bad-address'
  /** A CA, certificate or key file cannot be read or is no such thing. */
  | 'mqtt.bad-tls-file'
  /** No connection to the host: refused, no route, no name, no answer. */
  | 'mqtt.unreachable'
  /** The TLS handshake failed: a certificate of either side is not accepted. */
  | 'mqtt.tls-refused'
  | 'mqtt.proxy-refused'
  /** The broker's CONNACK said no. */
  | 'mqtt.refused'
  /** The broker does not speak the MQTT version that was asked for. */
  | 'mqtt.unsupported-version'
  /** The broker closed the connection before it answered. */
  | 'mqtt.closed'
  | 'mqtt.timeout'
  /** The broker sent what MQTT does not allow, or more than was agreed. */
  | 'mqtt.hostile-packet';

export class MqttError extends AppError<MqttErrorCode> {}
