// One connection of the real client to a broker that sends rubbish: valid packets at the wrong time, mutated ones, random bytes.
import { type Duplex, duplexPair } from 'node:stream';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { InboundLimit } from '../../src/mqtt/inbound-limit.ts';
import { MqttConnection } from '../../src/mqtt/mqtt-connection.ts';
import type { PublishOutcome } from '../../src/mqtt/mqtt-message.ts';
import { fakeClock } from './fake-clock.ts';
import { recordingLog } from './recording-log.ts';
import type { SeededRandom } from './seeded-random.ts';
import { uplinkConfig } from './test-uplink.ts';

const properties = { reasonString: 'r', userProperties: { a: ['b', 'c'] } };

/** What a broker may send, though not at any time. */
function brokerPackets(random: SeededRandom): readonly Packet[] {
  const messageId = 1 + random.integer(65_535);
  const publish = { cmd: 'publish', dup: false, retain: false, topic: 'command/x', payload: 'p' } as const;
  return [
    { cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: false },
    {
      cmd: 'connack',
      reasonCode: 0,
      returnCode: 0,
      sessionPresent: true,
      properties: { receiveMaximum: 1, topicAliasMaximum: 5 },
    },
    {
      cmd: 'connack',
      reasonCode: 0,
      returnCode: 0,
      sessionPresent: false,
      properties: { maximumQoS: 0, serverKeepAlive: 1 },
    },
    { cmd: 'connack', reasonCode: 0x86, returnCode: 5, sessionPresent: false, properties },
    { cmd: 'puback', messageId, reasonCode: 0 },
    { cmd: 'puback', messageId: 1 + random.integer(5), reasonCode: 0x97, properties },
    { cmd: 'pubrec', messageId: 1 + random.integer(5), reasonCode: 0 },
    { cmd: 'pubcomp', messageId, reasonCode: 0 },
    { cmd: 'pubrel', messageId, reasonCode: 0 },
    { cmd: 'suback', messageId, granted: [0, 1, 128] },
    { cmd: 'unsuback', messageId, granted: [0] },
    { cmd: 'pingresp' },
    { cmd: 'disconnect', reasonCode: 0x8b, properties },
    { cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'm' } },
    { ...publish, qos: 0 },
    { ...publish, qos: 0, topic: '', properties: { topicAlias: 3 } },
    { ...publish, qos: 1, messageId },
    { ...publish, qos: 2, messageId },
    { ...publish, qos: 0, payload: 'x'.repeat(random.integer(70_000)) },
    // A client's packets, from a broker.
    { cmd: 'connect', clientId: 'c', protocolId: 'MQTT', protocolVersion: 5 },
    { cmd: 'subscribe', messageId, subscriptions: [{ topic: 'a/#', qos: 0 }] },
    { cmd: 'unsubscribe', messageId, unsubscriptions: ['a'] },
    { cmd: 'pingreq' },
  ];
}

function rubbish(random: SeededRandom, protocolVersion: 4 | 5): Buffer {
  if (random.integer(8) === 0)
    return Buffer.from(Array.from({ length: 1 + random.integer(64) }, () => random.integer(256)));
  const packet = random.pick(brokerPackets(random));
  // AUTH exists in MQTT 5 alone; it is sent to a client of 3.1.1 all the same.
  const bytes = mqttPacket.generate(packet, { protocolVersion: packet.cmd === 'auth' ? 5 : protocolVersion });
  if (random.integer(3) === 0) return bytes;
  for (let i = random.integer(4); i >= 0; i--) bytes[random.integer(bytes.length)] = random.integer(256);
  return random.integer(4) === 0 ? bytes.subarray(0, random.integer(bytes.length + 1)) : bytes;
}

/** The real connection on a stream of the test's. */
export function openTestConnection(
  stream: Duplex,
  protocolVersion: 4 | 5,
  onMessage: () => void,
): MqttConnection {
  return new MqttConnection({
    stream,
    address: { host: 'broker', port: 1883, secure: false, webSocketPath: null, shown: 'mqtt://broker:1883' },
    config: uplinkConfig({ username: 'u', password: 'p', connectTimeoutMs: 100 }),
    protocolVersion,
    clientId: 'c',
    will: { topic: 'w', payload: '{}' },
    log: recordingLog(),
    inbound: new InboundLimit({ perSecond: 1_000, clock: fakeClock(), onRefused: () => undefined }),
    onMessage,
  });
}

export interface HostileRound {
  readonly connected: boolean;
  /** Why the connection ended. */
  readonly why: string;
  /** One for each of the publishes, or something is wrong. */
  readonly outcomes: readonly PublishOutcome[];
}

export const publishes = 3;

/** Rejects when the connection does not end though the broker's side is closed. */
export async function hostileRound(random: SeededRandom): Promise<HostileRound> {
  const [ours, theirs] = duplexPair();
  const protocolVersion = random.pick([4, 5] as const);
  theirs.resume();
  const connection = openTestConnection(ours, protocolVersion, () => {
    if (random.integer(4) === 0) throw new Error('a handler of ours that fails');
  });
  const outcomes: PublishOutcome[] = [];
  const opened = connection.open().then(
    () => {
      for (let i = 0; i < publishes; i++) {
        const message = { topic: 't', payload: '{}', qos: 1, retain: false, contentType: 'x' } as const;
        connection.publish(message, (outcome) => void outcomes.push(outcome));
      }
      return true;
    },
    () => false,
  );
  // Most brokers begin well, so that the rest is reached.
  if (random.integer(4) !== 0)
    theirs.write(
      mqttPacket.generate(
        { cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: false },
        { protocolVersion },
      ),
    );
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = random.integer(6); i >= 0; i--) {
    theirs.write(rubbish(random, protocolVersion));
    if (random.integer(2) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  theirs.end();
  const limit = setTimeout(() => ours.destroy(new Error('hung')), 2_000);
  const why = await connection.ended;
  clearTimeout(limit);
  if (why === 'hung') throw new Error('the connection did not end with its stream');
  return { connected: await opened, why, outcomes };
}
