import type { IPublishPacket } from 'mqtt';
import type { MessageProperties } from './mqtt-message.ts';

/** What a command needs of an MQTT 5 message; 3.1.1 has none of it. */
export function toMessageProperties(
  retain: boolean,
  properties: IPublishPacket['properties'] = {},
): MessageProperties {
  const { responseTopic, correlationData, contentType } = properties;
  return {
    retain,
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(contentType !== undefined && { contentType }),
  };
}
