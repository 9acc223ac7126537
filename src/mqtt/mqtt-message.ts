// What goes out and comes in over a session.

export interface MqttMessage {
  readonly topic: string;
  /** UTF-8. */
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** MIME type; only MQTT 5 carries it. */
  readonly contentType: string;
}

export type PublishOutcome =
  /** PUBACK (QoS 1), or written to the connection (QoS 0). */
  | { readonly kind: 'accepted' }
  /** PUBACK with a reason code >= 0x80 (MQTT 5): the broker did not take it. */
  | { readonly kind: 'refused'; readonly code: number; readonly why: string }
  /** The connection ended first: the broker may have it or not. */
  | { readonly kind: 'lost' };

export type SubscribeOutcome = { readonly ok: true } | { readonly ok: false; readonly why: string };

export interface MessageProperties {
  readonly retain: boolean;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
  readonly contentType?: string;
}

/** What the broker granted with its CONNACK. */
export interface Connected {
  readonly protocolVersion: 4 | 5;
  /** Most unacknowledged QoS 1 messages it takes; 65535 where it does not say. */
  readonly receiveMaximum: number;
  /** Bytes of a whole packet; null: no limit. */
  readonly maximumPacketSize: number | null;
  readonly topicAliasMaximum: number;
  readonly sessionPresent: boolean;
}
