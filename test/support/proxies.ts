// Small proxies on 127.0.0.1 that remember where they were asked to go.
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface TestProxy {
  readonly port: number;
  /** `host:port` of each tunnel that was opened. */
  readonly targets: readonly string[];
}

type Context = Pick<TestContext, 'after'>;

export interface HttpProxyOptions {
  /** The user:password it wants. */
  readonly login?: string;
  /** Leads to this local port whatever it is asked for. */
  readonly to?: number;
}

/** HTTP CONNECT; anything else is answered with 404. */
export async function startHttpProxy(t: Context, options: HttpProxyOptions = {}): Promise<TestProxy> {
  const targets: string[] = [];
  const server = http.createServer((_request, response) => response.writeHead(404).end());
  server.on('upgrade', (_request, client: Socket) =>
    client.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
  );
  server.on('connect', (request, client: Socket, head: Buffer) => {
    client.on('error', () => undefined);
    const wanted = options.login && `Basic ${Buffer.from(options.login).toString('base64')}`;
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const target = new URL(`tcp://${request.url}`);
    targets.push(request.url ?? '');
    const [port, host] =
      options.to === undefined ? [Number(target.port), target.hostname] : [options.to, '127.0.0.1'];
    relay(client, net.connect(port, host), () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) client.unshift(head);
    });
  });
  return listening(t, server, targets);
}

export interface SocksProxyOptions {
  /** The user:password it wants (RFC 1929). */
  readonly login?: string;
  /** Takes the connection and never answers. */
  readonly silent?: boolean;
}

/** SOCKS 5 (RFC 1928), CONNECT to an IPv4 address or a name. */
export async function startSocksProxy(t: Context, options: SocksProxyOptions = {}): Promise<TestProxy> {
  const targets: string[] = [];
  const serve = async (client: Socket) => {
    const next = async () => ((await once(client, 'data')) as [Buffer])[0];
    await next();
    if (options.login !== undefined) {
      client.write(Buffer.from([5, 2]));
      const login = await next();
      const userEnd = 2 + (login[1] ?? 0);
      const given = `${login.toString('utf8', 2, userEnd)}:${login.toString('utf8', userEnd + 1)}`;
      const accepts = given === options.login;
      client.write(Buffer.from([1, accepts ? 0 : 1]));
      if (!accepts) return;
    } else {
      client.write(Buffer.from([5, 0]));
    }
    const request = await next();
    const isName = request[3] === 3;
    const end = isName ? 5 + (request[4] ?? 0) : 8;
    const host = isName ? request.toString('latin1', 5, end) : [...request.subarray(4, 8)].join('.');
    const port = request.readUInt16BE(end);
    targets.push(`${host}:${port}`);
    relay(client, net.connect(port, host), () => client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])));
  };
  const server = net.createServer((client) => {
    client.on('error', () => undefined);
    if (options.silent !== true) serve(client).catch(() => client.destroy());
  });
  return listening(t, server, targets);
}

function relay(client: Socket, target: Socket, opened: () => void): void {
  target.on('connect', () => {
    opened();
    client.pipe(target).pipe(client);
  });
  target.on('error', () => client.destroy());
  target.on('close', () => client.destroy());
  client.on('close', () => target.destroy());
}

async function listening(t: Context, server: Server, targets: readonly string[]): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, targets };
}
