// A TCP relay in front of a broker that tells of each event on its way and of each PUBACK before it passes, so that a drill can strike
// there. Keeps nothing: `mqtt-tap.ts` is for tests that look at what passed.
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import mqttPacket from 'mqtt-packet';
import type { Cleanup } from './with-cleanup.ts';

export type RelayedPacket = 'publish' | 'puback';

export interface MqttRelay {
  readonly url: string;
  /** Called before the bytes that hold the packet pass; false: they do not, and nothing does from then on. */
  before: ((packet: RelayedPacket, eventId: string | null) => boolean) | null;
  after: ((packet: RelayedPacket) => void) | null;
  cut(): void;
}

export async function startMqttRelay(t: Cleanup, brokerPort: number): Promise<MqttRelay> {
  const sockets = new Set<net.Socket>();
  const cut = () => {
    for (const each of sockets) each.destroy();
  };
  const server = net.createServer({ noDelay: true }, (client) => {
    const broker = net.connect({ port: brokerPort, host: '127.0.0.1', noDelay: true });
    let isFrozen = false;
    const eventIds = new Map<number, string | null>();
    const pass = (from: net.Socket, to: net.Socket, wanted: RelayedPacket) => {
      sockets.add(from);
      // A cut is what the drill wants.
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      const parser = mqttPacket.parser({ protocolVersion: 5 });
      let seen: (string | null)[] = [];
      parser.on('packet', (packet) => {
        if (packet.cmd !== wanted || packet.messageId === undefined) return;
        if (packet.cmd === 'publish') {
          if (!packet.topic.includes('/event/')) return;
          eventIds.set(packet.messageId, eventIdOf(packet.payload));
        } else if (!eventIds.has(packet.messageId)) return;
        seen.push(eventIds.get(packet.messageId) ?? null);
        if (packet.cmd === 'puback') eventIds.delete(packet.messageId);
      });
      from.on('data', (chunk: Buffer) => {
        if (isFrozen) return;
        seen = [];
        parser.parse(chunk);
        for (const eventId of seen) isFrozen ||= relay.before?.(wanted, eventId) === false;
        if (isFrozen) return;
        to.write(chunk);
        for (const _ of seen) relay.after?.(wanted);
      });
    };
    pass(client, broker, 'publish');
    pass(broker, client, 'puback');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    cut();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const relay: MqttRelay = { url: `mqtt://127.0.0.1:${port}`, before: null, after: null, cut };
  return relay;
}

/** The id stands near the beginning: {"specversion":"1.0","id":"1-1841",… */
function eventIdOf(payload: string | Buffer): string | null {
  return /"id":"(\d+-\d+)"/.exec(payload.toString().slice(0, 120))?.[1] ?? null;
}
