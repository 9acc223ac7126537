// The page's address in the local network by multicast DNS (RFC 6762, 6763): `_autoweave._tcp`. Whatever comes from the network or fails in it
// costs the announcement at most.
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import multicastDns, { type Packet, type Question, type Resource } from 'multicast-dns';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';
import { localAddresses } from './local-addresses.ts';

const SERVICE = '_autoweave._tcp.local';
const SERVICES = '_services._dns-sd._udp.local';
const TTL_SECONDS = 120;
/** RFC 6762, 8.3: at least two, a second apart. */
const AGAIN_MS = 1_000;
/** What a flood of questions may cost. */
const ANSWERS_A_SECOND = 10;
const LABEL_BYTES = 63;

export interface Announcement {
  /** Says goodbye. */
  stop(): Promise<void>;
}

export interface AnnounceOptions {
  readonly name: string;
  readonly version: string;
  readonly isTls: boolean;
  readonly port: () => number;
  readonly log: Log;
  readonly uptimeMs: () => number;
  /** Default: that of multicast DNS. */
  readonly mdnsPort?: number;
}

export function announce(options: AnnounceOptions): Announcement {
  const { log, uptimeMs } = options;
  const mdns = multicastDns({ port: options.mdnsPort ?? 5_353 });
  let second = 0;
  let answered = 0;
  const failed = (cause: unknown) =>
    log.debug({ why: errorText(cause) }, 'the announcement in the local network was not heard');
  const isTooMany = () => {
    const now = Math.floor(uptimeMs() / 1_000);
    answered = now === second ? answered + 1 : 1;
    second = now;
    return answered > ANSWERS_A_SECOND;
  };
  // Another program has the port to itself, or there is no network: it is tried with the next start.
  mdns.on('error', (cause: unknown) =>
    log.warn({ why: errorText(cause) }, 'the page is not announced in the local network'),
  );
  mdns.on('warning', failed);
  mdns.on('query', ({ questions }: Packet) => {
    try {
      const records = toRecords(options, TTL_SECONDS);
      const answers = records.filter((record) => questions.some((question) => isAsked(record, question)));
      if (answers.length === 0 || isTooMany()) return;
      mdns.respond({ answers, additionals: records.filter((record) => !answers.includes(record)) }, failIf);
    } catch (cause) {
      failed(cause);
    }
  });
  const failIf = (cause?: Error | null) => {
    if (cause !== undefined && cause !== null) failed(cause);
  };
  const tell = () => mdns.respond({ answers: toRecords(options, TTL_SECONDS) }, failIf);
  mdns.once('ready', tell);
  const again = setTimeout(tell, AGAIN_MS).unref();
  return {
    async stop() {
      clearTimeout(again);
      const { promise, resolve } = Promise.withResolvers<void>();
      const goodbye = toRecords(options, 0).filter(({ type }) => type === 'PTR' || type === 'SRV');
      const end = () => mdns.destroy(() => resolve());
      mdns.respond({ answers: goodbye }, end);
      // Where it never came to a socket nobody calls back.
      const limit = setTimeout(resolve, 300);
      await promise;
      clearTimeout(limit);
    },
  };
}

function isAsked({ name, type }: Resource, question: Question): boolean {
  return (
    name.toLowerCase() === question.name.toLowerCase() && (question.type === type || question.type === 'ANY')
  );
}

/** The addresses of now: a network may come later than the daemon. */
function toRecords({ name, version, isTls, port }: AnnounceOptions, ttl: number): readonly Resource[] {
  const instance = `${label(name)}.${SERVICE}`;
  const host = `${label(hostname().split('.')[0] ?? '')}.local`;
  const txt = ['path=/', `version=${version}`, `tls=${isTls ? 1 : 0}`];
  return [
    { name: SERVICES, type: 'PTR', ttl, data: SERVICE },
    { name: SERVICE, type: 'PTR', ttl, data: instance },
    { name: instance, type: 'SRV', ttl, flush: true, data: { port: port(), target: host } },
    { name: instance, type: 'TXT', ttl, flush: true, data: txt },
    ...localAddresses().map((address) => ({
      ...{ name: host, type: isIPv4(address) ? 'A' : 'AAAA', ttl, flush: true, data: address },
    })),
  ];
}

/** One label: a dot would make two of it. */
function label(text: string): string {
  return text.replaceAll('.', '-').slice(0, LABEL_BYTES) || 'autoweave';
}
