// A receiver of webhooks on 127.0.0.1 that keeps what came, checks every signature by the words of the specification, and answers
// as the test says.
import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Cleanup } from './with-cleanup.ts';

export const webhookSecret = `whsec_${Buffer.from('0123456789abcdef0123456789').toString('base64')}`;

export interface Delivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** CloudEvents ids of the body, one or a list. */
  readonly ids: readonly string[];
  /** Of the connection, from 0. */
  readonly connection: number;
}

export interface WebhookReceiver {
  readonly port: number;
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  /** Ids of what was answered with 2xx, in order. */
  readonly accepted: readonly string[];
  readonly mostAtOnce: number;
  stop(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
}

export interface ReceiverOptions {
  /** Default: 204. Returning nothing leaves the answer to the function itself, or out. */
  readonly answer?: (
    delivery: Delivery,
    response: ServerResponse,
  ) => number | undefined | Promise<number | undefined>;
  readonly tls?: https.ServerOptions;
  readonly secret?: string;
  readonly port?: number;
  /** false: the test starts it. */
  readonly started?: boolean;
}

export async function startWebhookReceiver(
  t: Cleanup,
  options: ReceiverOptions = {},
): Promise<WebhookReceiver> {
  const { answer = () => 204, secret = webhookSecret, tls } = options;
  const deliveries: Delivery[] = [];
  const accepted: string[] = [];
  const connections = new Map<Socket, number>();
  let [atOnce, mostAtOnce, connected] = [0, 0, 0];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    response.on('close', () => (atOnce -= 1));
    const body = await text(request);
    const headers = request.headers as Record<string, string>;
    assert.equal(request.method, 'POST');
    const delivery = { headers, body, ids: idsOf(body), connection: connections.get(request.socket) ?? -1 };
    const isGenuine = isSignedWith(secret, delivery);
    deliveries.push(delivery);
    const status = isGenuine ? await answer(delivery, response) : 401;
    if (status === undefined) return;
    if (status < 300) accepted.push(...delivery.ids);
    response.writeHead(status).end();
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // A request that is cut short is the test's doing.
    take(request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? http.createServer(handle) : https.createServer(tls, handle);
  server.on('connection', (socket: Socket) => {
    connections.set(socket, connected++);
    socket.on('close', () => connections.delete(socket));
  });
  let port = options.port ?? 0;
  const receiver: WebhookReceiver = {
    deliveries,
    accepted,
    get port() {
      return port;
    },
    get url() {
      return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook?planted-query`;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    async start() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      ({ port } = server.address() as AddressInfo);
    },
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  t.after(() => receiver.stop());
  if (options.started !== false) await receiver.start();
  return receiver;
}

/** Standard Webhooks 1.0: `{id}.{timestamp}.{payload}`, HMAC-SHA256, base64, `v1,` before it; one of several must fit. */
export function isSignedWith(secret: string, { body, headers }: Pick<Delivery, 'body' | 'headers'>): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', key).update(content, 'utf8').digest();
  return (headers['webhook-signature'] ?? '').split(' ').some((each) => {
    const [version, given = ''] = each.split(',');
    const bytes = Buffer.from(given, 'base64');
    return version === 'v1' && bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}

function idsOf(body: string): readonly string[] {
  const parsed = JSON.parse(body) as { readonly id: string } | readonly { readonly id: string }[];
  return 'id' in parsed ? [parsed.id] : parsed.map(({ id }) => id);
}
