// A TCP relay in front of a broker that reads along: which events went out and were acknowledged, in what order, how many at
// once; and that can cut, or hold the broker's answers back.
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import mqttPacket, { type Packet } from 'mqtt-packet';

export interface Tapped {
  readonly connection: number;
  readonly topic: string;
  readonly messageId: number;
  /** CloudEvents id; null for other messages. */
  readonly eventId: string | null;
  acked: boolean;
}

export interface MqttTap {
  readonly port: number;
  readonly url: string;
  /** QoS 1 messages of the client, in the order in which they passed. */
  readonly published: readonly Tapped[];
  readonly connections: number;
  /** Most unacknowledged at once on one connection. */
  readonly mostInFlight: number;
  cut(): void;
  /** Cuts after so many more bytes, whatever their direction. */
  cutAfter(bytes: number): void;
  /** While true, nothing of the broker passes. */
  holdAnswers(hold: boolean): void;
  /** Called with each packet of the client after it was noted. */
  onPacket: ((packet: Packet) => void) | null;
}

export async function startMqttTap(t: Pick<TestContext, 'after'>, brokerPort: number): Promise<MqttTap> {
  const published: Tapped[] = [];
  const sockets = new Set<Socket>();
  const held: { readonly client: Socket; readonly chunk: Buffer }[] = [];
  let connections = 0;
  let mostInFlight = 0;
  let bytesLeft = Number.POSITIVE_INFINITY;
  let holding = false;

  const cut = () => {
    bytesLeft = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.destroy();
  };
  /** The part of the chunk that still passes. */
  const pass = (chunk: Buffer, to: Socket): Buffer => {
    const part = chunk.subarray(0, bytesLeft);
    bytesLeft -= part.length;
    to.write(part);
    if (bytesLeft <= 0) setImmediate(cut);
    return part;
  };

  const server = net.createServer((client) => {
    const broker = net.connect({ port: brokerPort, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    const connection = connections++;
    const open = new Map<number, Tapped>();
    const fromClient = mqttPacket.parser({ protocolVersion: 5 });
    const fromBroker = mqttPacket.parser({ protocolVersion: 5 });
    fromClient.on('packet', (packet) => {
      if (packet.cmd === 'publish' && packet.qos === 1 && packet.messageId !== undefined) {
        const { messageId, topic } = packet;
        const tapped = { connection, topic, messageId, eventId: eventIdOf(packet.payload), acked: false };
        published.push(tapped);
        open.set(messageId, tapped);
        mostInFlight = Math.max(mostInFlight, open.size);
      }
      tap.onPacket?.(packet);
    });
    fromBroker.on('packet', (packet) => {
      const tapped = packet.cmd === 'puback' ? open.get(packet.messageId ?? 0) : undefined;
      if (tapped === undefined) return;
      open.delete(tapped.messageId);
      tapped.acked = true;
    });
    client.on('data', (chunk: Buffer) => fromClient.parse(pass(chunk, broker)));
    broker.on('data', (chunk: Buffer) => {
      if (holding) held.push({ client, chunk });
      else fromBroker.parse(pass(chunk, client));
    });
    releases.add((kept) => {
      if (kept.client === client) fromBroker.parse(pass(kept.chunk, client));
    });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      // A cut is what the test wants.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  const releases = new Set<(kept: { readonly client: Socket; readonly chunk: Buffer }) => void>();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    cut();
  });
  const { port } = server.address() as AddressInfo;
  const tap: MqttTap = {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    published,
    get connections() {
      return connections;
    },
    get mostInFlight() {
      return mostInFlight;
    },
    cut,
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    holdAnswers(hold) {
      holding = hold;
      if (hold) return;
      for (const kept of held.splice(0)) for (const release of releases) release(kept);
    },
    onPacket: null,
  };
  return tap;
}

function eventIdOf(payload: string | Buffer): string | null {
  const { id } = JSON.parse(payload.toString()) as { readonly id?: string };
  return id ?? null;
}
