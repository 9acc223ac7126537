// Reason codes that MQTT 5 does not list for a PUBACK, but brokers send: mosquitto answers "packet too large" (0x95) to what
// its message_size_limit forbids. mqtt.js would end the connection over it, each time that the event is sent again.

const PUBACK = 4;
/** MQTT 5 section 3.4.2.1: what mqtt.js lets pass. */
const listed = new Set([0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
const UNSPECIFIED = 0x80;

export class OddPubacks {
  readonly #codes = new Map<number, number>();

  /** Puts "unspecified error" in the place of an unlisted error code, and remembers the code. */
  readonly inspect = (packet: Buffer): void => {
    if ((packet[0] ?? 0) >> 4 !== PUBACK) return;
    let lengthEnd = 1;
    while ((packet[lengthEnd] ?? 0) >= 0x80) lengthEnd += 1;
    const code = packet[lengthEnd + 3];
    if (code === undefined || code < 0x80 || listed.has(code)) return;
    this.#codes.set(packet.readUInt16BE(lengthEnd + 1), code);
    packet[lengthEnd + 3] = UNSPECIFIED;
  };

  /** The code that the broker really sent for this packet id, once. */
  take(packetId: number | undefined): number | undefined {
    if (packetId === undefined) return undefined;
    const code = this.#codes.get(packetId);
    this.#codes.delete(packetId);
    return code;
  }
}
