// Bytes from the broker -> mqtt.js, one whole MQTT packet at a time, and nothing that could hurt.
//
// mqtt.js reads a packet of any announced length into memory, and its parser throws from inside the socket's callback on some
// malformed packets: an uncaught exception. Handing it single packets from inside a try keeps both here.
import type { Duplex, Writable } from 'node:stream';
import { errorText } from '../lib/error-text.ts';
import type { InboundLimit } from './inbound-limit.ts';
import { MqttError } from './mqtt-error.ts';

export interface FeedOptions {
  /** Of the part after the length, in bytes. */
  readonly maximumPacketSize: number;
  /** Sees each packet first, and may change bytes of it. */
  readonly inspect: (packet: Buffer) => void;
  /** Charged with each message, and asked for how long nothing more is to be read. */
  readonly inbound: Pick<InboundLimit, 'charge' | 'holdUpMs'>;
}

/** Changes what `stream.pipe()` does: that is how mqtt.js attaches its parser to the stream it is given. */
export function feedPackets<S extends Duplex>(stream: S, options: FeedOptions): S {
  stream.pipe = (sink) => {
    const feed = new PacketFeed(stream, sink as unknown as Writable, options);
    stream.on('data', (chunk: Buffer) => feed.take(chunk));
    return sink;
  };
  return stream;
}

/**
 * INVARIANTS
 * - The sink never holds more than one packet that it has not finished with; what follows waits here and the stream is paused.
 * - While messages come too fast nothing is read, and TCP slows the broker down.
 * - A broker that sends without reading our answers is slowed down by TCP: mqtt.js itself does not wait for them to be written.
 * - No exception of the sink leaves: it ends the stream.
 */
class PacketFeed {
  readonly #stream: Duplex;
  readonly #sink: Writable;
  readonly #options: FeedOptions;
  /** Next byte expected: packet type, remaining length (1 to 4 bytes), or body. */
  #expects: 'type' | 'length' | 'body' = 'type';
  #length = 0;
  #lengthBytes = 0;
  #bodyLeft = 0;
  /** What has come of a packet that is not complete yet. */
  #begun: Buffer[] = [];
  /** Bytes that wait until the sink is ready; not null while the stream is paused for it. */
  #held: Buffer | null = null;
  /** The last packet's answer waits for the stream to take more. */
  #wantsDrain = false;
  /** Runs while messages come too fast. */
  #flood: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, sink: Writable, options: FeedOptions) {
    this.#stream = stream;
    this.#sink = sink;
    this.#options = options;
  }

  take(chunk: Buffer): void {
    if (this.#held !== null) {
      this.#held = Buffer.concat([this.#held, chunk]);
      return;
    }
    let from = 0;
    while (from < chunk.length && !this.#stream.destroyed) {
      const to = this.#scan(chunk, from);
      if (to < 0) return;
      const part = chunk.subarray(from, to);
      from = to;
      if (this.#expects !== 'type') {
        this.#begun.push(part);
        continue;
      }
      const packet = this.#complete(part);
      if (!this.#hand(packet)) return;
      this.#wantsDrain = needsAnswer(packet) && this.#stream.writableNeedDrain;
      if (this.#wantsDrain) this.#stream.once('drain', this.#goOn);
      if (isMessage(packet)) {
        this.#options.inbound.charge(packet.length);
        this.#slowDown();
      }
      if (this.#isHeldUp()) {
        this.#held = chunk.subarray(from);
        this.#stream.pause();
        return;
      }
    }
  }

  #slowDown(): void {
    const waitMs = this.#options.inbound.holdUpMs();
    if (waitMs <= 0) return;
    this.#flood = setTimeout(() => {
      this.#flood = undefined;
      if (this.#stream.destroyed) return;
      this.#slowDown();
      this.#goOn();
    }, waitMs);
  }

  #complete(part: Buffer): Buffer {
    if (this.#begun.length === 0) return part;
    const whole = Buffer.concat([...this.#begun, part]);
    this.#begun = [];
    return whole;
  }

  #hand(packet: Buffer): boolean {
    this.#options.inspect(packet);
    try {
      this.#sink.write(packet, this.#goOn);
      return true;
    } catch (error) {
      this.#refuse(`a packet that cannot be read: ${errorText(error)}`);
      return false;
    }
  }

  /** One function for all writes: the sink calls it once for a batch when it is the same. */
  readonly #goOn = (): void => {
    const held = this.#held;
    if (held === null || this.#isHeldUp()) return;
    this.#held = null;
    this.#stream.resume();
    this.take(held);
  };

  #isHeldUp(): boolean {
    if (this.#flood !== undefined) return true;
    return this.#sink.writableLength > 0 || (this.#wantsDrain && this.#stream.writableNeedDrain);
  }

  /** Where the packet that `from` is in ends, or the chunk if that comes first; -1 after a refusal. */
  #scan(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#expects === 'type') {
        this.#expects = 'length';
        this.#length = 0;
        this.#lengthBytes = 0;
        at += 1;
      } else if (this.#expects === 'length') {
        const byte = chunk[at] ?? 0;
        at += 1;
        this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
        this.#lengthBytes += 1;
        if (byte >= 0x80 && this.#lengthBytes === 4) return this.#refuse('a length of more than 4 bytes');
        if (byte >= 0x80) continue;
        if (this.#length > this.#options.maximumPacketSize)
          return this.#refuse(
            `a packet of ${this.#length} bytes; the limit is ${this.#options.maximumPacketSize}`,
          );
        this.#expects = this.#length === 0 ? 'type' : 'body';
        this.#bodyLeft = this.#length;
        if (this.#length === 0) return at;
      } else {
        const end = Math.min(chunk.length, at + this.#bodyLeft);
        this.#bodyLeft -= end - at;
        if (this.#bodyLeft === 0) this.#expects = 'type';
        return end;
      }
    }
    return at;
  }

  #refuse(what: string): -1 {
    this.#stream.destroy(new MqttError('mqtt.hostile-packet', `the broker sent ${what}`));
    return -1;
  }
}

function isMessage(packet: Buffer): boolean {
  return (packet[0] ?? 0) >> 4 === 3;
}

/** PUBLISH with QoS 1 or 2 wants PUBACK or PUBREC, PUBREL wants PUBCOMP. */
function needsAnswer(packet: Buffer): boolean {
  const first = packet[0] ?? 0;
  return (first >> 4 === 3 && (first & 0x06) !== 0) || first >> 4 === 6;
}
