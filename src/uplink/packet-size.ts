// How large a message becomes as an MQTT 5 packet, rounded up.
import type { MqttMessage } from '../mqtt/mqtt-message.ts';

/** Fixed header, topic length, packet id, property length and the content type's own header of a PUBLISH. */
const OVERHEAD = 5 + 2 + 2 + 1 + 3;

/** @param maximum as the broker said; null: no limit */
export function isTooLarge(
  { contentType, payload, topic }: Pick<MqttMessage, 'contentType' | 'payload' | 'topic'>,
  maximum: number | null,
): boolean {
  if (maximum === null) return false;
  const bytes = Buffer.byteLength(topic) + Buffer.byteLength(payload) + Buffer.byteLength(contentType);
  return OVERHEAD + bytes > maximum;
}
