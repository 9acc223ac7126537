// A USB device that is plugged in and refuses every request: the other end of QEMU's `usb-redir`, which speaks the protocol of usbredir 0.7
// with the capabilities that QEMU's xHCI asks for.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Cleanup } from './with-cleanup.ts';

const packets = { hello: 0, deviceConnect: 1, interfaceInfo: 4, epInfo: 5, control: 100 } as const;
/** Type, length and id; the id has 8 bytes once both have said their capabilities. */
const FIRST_HEADER = 12;
const HEADER = 16;
/** Packet sizes in the list of endpoints, ids of 64 bits, bulk lengths of 32: what QEMU asks for at an xHCI. */
const CAPABILITIES = (1 << 4) | (1 << 5) | (1 << 6);
const FULL_SPEED = 1;
const STALL = 4;
const ENDPOINTS = 32;
const NO_ENDPOINT = 255;
const PACKET = 64;

export interface MuteUsbDevice {
  /** QEMU's character device connects here. */
  readonly socketPath: string;
  /** Requests that it has refused. */
  refused(): number;
}

export async function startMuteUsbDevice(t: Cleanup, socketPath: string): Promise<MuteUsbDevice> {
  let refused = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const first = packet(packets.hello, 0n, hello());
    // Its id is a short one.
    socket.write(Buffer.concat([first.subarray(0, FIRST_HEADER), first.subarray(HEADER)]));
    socket.write(packet(packets.epInfo, 0n, endpoints()));
    socket.write(packet(packets.interfaceInfo, 0n, Buffer.alloc(4 + 4 * ENDPOINTS)));
    socket.write(packet(packets.deviceConnect, 0n, connect()));
    let rest = Buffer.alloc(0);
    let header = FIRST_HEADER;
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= header && rest.length >= header + rest.readUInt32LE(4)) {
        const end = header + rest.readUInt32LE(4);
        if (rest.readUInt32LE(0) === packets.control) {
          refused += 1;
          socket.write(packet(packets.control, rest.readBigUInt64LE(8), refusal(rest.subarray(header, end))));
        }
        header = HEADER;
        rest = rest.subarray(end);
      }
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(socketPath);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { socketPath, refused: () => refused };
}

function packet(type: number, id: bigint, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(body.length, 4);
  header.writeBigUInt64LE(id, 8);
  return Buffer.concat([header, body]);
}

/** Version as text, then one word of capabilities. */
function hello(): Buffer {
  const body = Buffer.alloc(64 + 4);
  body.write('mute device');
  body.writeUInt32LE(CAPABILITIES, 64);
  return body;
}

/** Type, interval, interface and packet size of 16 endpoints in each direction; only endpoint 0 is there, of type control. */
function endpoints(): Buffer {
  const body = Buffer.alloc((3 + 2) * ENDPOINTS);
  body.fill(NO_ENDPOINT, 0, ENDPOINTS);
  body[0] = 0;
  body[ENDPOINTS / 2] = 0;
  for (const endpoint of [0, ENDPOINTS / 2]) body.writeUInt16LE(PACKET, 3 * ENDPOINTS + 2 * endpoint);
  return body;
}

/** Speed, class, subclass, protocol, vendor, product. */
function connect(): Buffer {
  const body = Buffer.alloc(8);
  body[0] = FULL_SPEED;
  body.writeUInt16LE(0x1209, 4);
  body.writeUInt16LE(0x0001, 6);
  return body;
}

/** Endpoint, request, type, status, value, index, length: without data. */
function refusal(request: Buffer): Buffer {
  const body = Buffer.from(request.subarray(0, 10));
  body[3] = STALL;
  body.writeUInt16LE(0, 8);
  return body;
}
