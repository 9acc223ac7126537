// The plugin's side of serial streams: bytes come as messages and are handed out as an async iterable. Runs in the worker.
import type { PluginSerial, SerialPort, SerialStream } from '../../../plugins/api/plugin-api.ts';
import type { ToHost } from '../protocol/to-host.ts';
import type { Requests } from './requests.ts';

interface Incoming {
  readonly chunks: Uint8Array[];
  wake: () => void;
  ended: boolean;
}

export interface SerialSide {
  readonly serial: PluginSerial;
  take(message: Extract<ToHost, { t: 'serial-data' | 'serial-closed' }>): void;
}

export function createSerialSide({ ask }: Requests): SerialSide {
  const open = new Map<number, Incoming>();

  const toStream = (stream: number, incoming: Incoming): SerialStream => ({
    async write(bytes) {
      await ask({ op: 'serial.write', stream, base64: Buffer.from(bytes).toString('base64') });
    },
    async close() {
      await ask({ op: 'serial.close', stream });
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const chunk = incoming.chunks.shift();
        if (chunk !== undefined) yield chunk;
        else if (incoming.ended) return;
        else
          await new Promise<void>((resolve) => {
            incoming.wake = resolve;
          });
      }
    },
  });
  const incomingOf = (stream: number): Incoming => {
    const known = open.get(stream) ?? { chunks: [], wake: () => undefined, ended: false };
    open.set(stream, known);
    return known;
  };

  return {
    serial: {
      list: async () => (await ask({ op: 'serial.list' })) as readonly SerialPort[],
      async open(port, { baudRate = 9_600, dataBits = 8, parity = 'none', stopBits = 1 } = {}) {
        const stream = await ask({ op: 'serial.open', port, baudRate, dataBits, parity, stopBits });
        return toStream(stream as number, incomingOf(stream as number));
      },
    },
    take(message) {
      // The first bytes may overtake the answer to `open`.
      const incoming = incomingOf(message.stream);
      if (message.t === 'serial-data') incoming.chunks.push(Buffer.from(message.base64, 'base64'));
      else {
        incoming.ended = true;
        open.delete(message.stream);
      }
      incoming.wake();
    },
  };
}
