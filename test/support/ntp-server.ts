// A time server on 127.0.0.1 that answers with this machine's clock plus `offsetMs` (RFC 5905, figure 8: 48 bytes).
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { Cleanup } from './with-cleanup.ts';

export interface NtpServer {
  readonly port: number;
  readonly answered: number;
}

/** From 1900 to 1970. */
const eraSeconds = 2_208_988_800;

export async function startNtpServer(t: Cleanup, { offsetMs = 0 } = {}): Promise<NtpServer> {
  const socket = createSocket('udp4');
  let answered = 0;
  const now = () => ntpTime(performance.timeOrigin + performance.now() + offsetMs);
  socket.on('message', (request: Buffer, from: RemoteInfo) => {
    if (request.length < 48) return;
    const answer = Buffer.alloc(48);
    // No warning, the client's version, mode 4 (server); stratum 1; the client's poll; precision of 2^-20 s.
    answer.writeUInt8((request.readUInt8(0) & 0x38) | 4, 0);
    answer.writeUInt8(1, 1);
    answer.writeUInt8(request.readUInt8(2), 2);
    answer.writeInt8(-20, 3);
    answer.writeUInt32BE(0x10, 8);
    answer.write('TEST', 12, 'latin1');
    answer.writeBigUInt64BE(now(), 16);
    request.copy(answer, 24, 40, 48);
    answer.writeBigUInt64BE(now(), 32);
    answer.writeBigUInt64BE(now(), 40);
    socket.send(answer, from.port, from.address);
    answered += 1;
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return {
    port: socket.address().port,
    get answered() {
      return answered;
    },
  };
}

function ntpTime(wallMs: number): bigint {
  const seconds = Math.floor(wallMs / 1_000);
  const fraction = Math.floor(((wallMs / 1_000) % 1) * 2 ** 32);
  return (BigInt(seconds + eraSeconds) << 32n) | BigInt(fraction);
}
