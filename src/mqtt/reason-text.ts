// Reason codes of CONNACK, PUBACK, SUBACK and DISCONNECT -> words and, where a person can act, the remedy.
// MQTT 5 section 2.4 (0x80 and above), MQTT 3.1.1 section 3.2.2.3 (1 to 5).

interface Reason {
  readonly what: string;
  readonly remedy?: string;
}

const credentials = 'check uplink.username and uplink.password';
const account = "the broker's access list must allow this account and client id";

const reasons: Readonly<Record<number, Reason>> = {
  1: { what: 'it does not support this MQTT version', remedy: 'set uplink.protocol' },
  2: { what: 'it does not accept the client id', remedy: 'set uplink.clientId' },
  3: { what: 'it is unavailable' },
  4: { what: 'bad user name or password', remedy: credentials },
  5: { what: 'not authorized', remedy: `${credentials}; ${account}` },
  128: { what: 'no reason given' },
  129: { what: 'it found a packet malformed' },
  130: { what: 'it found an error of protocol' },
  131: { what: 'a reason of its own implementation' },
  132: { what: 'it does not support this MQTT version', remedy: 'set uplink.protocol' },
  133: { what: 'it does not accept the client id', remedy: 'set uplink.clientId' },
  134: { what: 'bad user name or password', remedy: credentials },
  135: { what: 'not authorized', remedy: `${credentials}; ${account}` },
  136: { what: 'it is unavailable' },
  137: { what: 'it is busy' },
  138: { what: 'this client is banned', remedy: "the broker's administrator must lift the ban" },
  139: { what: 'it is shutting down' },
  140: { what: 'it wants another method of authentication' },
  141: { what: 'it heard nothing from us for longer than the keep-alive' },
  142: {
    what: 'another client with the same id took the session over',
    remedy: 'give each appliance its own name',
  },
  143: { what: 'it does not accept the topic filter' },
  144: { what: 'it does not accept the topic' },
  145: { what: 'packet identifier in use' },
  147: { what: 'more messages in flight than it allows' },
  148: { what: 'topic alias invalid' },
  149: { what: 'message too large' },
  150: { what: 'too many messages' },
  151: { what: 'its quota is used up', remedy: "raise this account's quota at the broker" },
  152: { what: 'an act of its administrator' },
  153: { what: 'it does not accept the payload' },
  154: { what: 'it does not keep retained messages', remedy: 'allow retained messages at the broker' },
  155: { what: 'it does not support QoS 1', remedy: 'allow QoS 1 at the broker' },
  156: { what: 'use another server', remedy: 'set uplink.url' },
  157: { what: 'the server has moved', remedy: 'set uplink.url' },
  159: { what: 'too many connections' },
  160: { what: 'maximum connect time reached' },
};

/** `bad user name or password (0x86): check uplink.username …`; `detail` is the broker's own Reason String. */
export function reasonText(code: number, detail?: string): string {
  const { what, remedy } = reasons[code] ?? { what: 'a reason unknown to this version' };
  const said = detail === undefined ? '' : `, it says "${printable(detail)}"`;
  return `${what} (0x${code.toString(16).padStart(2, '0')})${said}${remedy === undefined ? '' : `: ${remedy}`}`;
}

/** A broker's text is a stranger's: one short line without control characters. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').slice(0, 200);
}
