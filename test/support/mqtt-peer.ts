// A broker of a few lines that does what the test says: for answers that a real broker does not give.
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import mqttPacket, { type Packet } from 'mqtt-packet';

export interface PeerConnection {
  readonly socket: Socket;
  /** Counts from 0. */
  readonly number: number;
  /** Encoded for the version that the client asked for, or 4 before that is known. */
  send(packet: Packet): void;
}

export interface MqttPeer {
  readonly port: number;
  readonly url: string;
  readonly connections: number;
}

/** `answer` gets each packet that the client sends. */
export async function startMqttPeer(
  t: Pick<TestContext, 'after'>,
  answer: (packet: Packet, peer: PeerConnection) => void,
): Promise<MqttPeer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    let protocolVersion: 3 | 4 | 5 = 4;
    const peer: PeerConnection = {
      socket,
      number: connections++,
      send: (packet) => void socket.write(mqttPacket.generate(packet, { protocolVersion })),
    };
    const parser = mqttPacket.parser();
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') protocolVersion = packet.protocolVersion ?? 4;
      answer(packet, peer);
    });
    // After it misbehaved, the client may send or cut what it likes.
    parser.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => parser.parse(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    sockets.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
  };
}
