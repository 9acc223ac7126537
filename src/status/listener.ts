// One port: HTTP, or HTTPS with a redirect for who comes without. The first byte of a connection tells them apart.
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { createServer as createPlain, type Server, type Socket } from 'node:net';
import { secureHeaders } from './answer.ts';
import type { StatusLimits } from './status-limits.ts';

/** The first byte of a TLS record with a ClientHello (RFC 8446, 5.1). */
const HANDSHAKE = 22;

export interface Listener {
  /** What listens. */
  readonly server: Server;
  readonly protocols: readonly { readonly protocol: HttpServer | HttpsServer; readonly isTls: boolean }[];
  closeIdle(): void;
  closeAll(): void;
}

export function createListener(
  limits: StatusLimits,
  tls: { readonly key: string; readonly cert: string } | null,
): Listener {
  const bounds = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    // The last resort: bodies have their own bounds, which are answered (api/read-body.ts).
    requestTimeout: 2 * (limits.headersTimeoutMs + limits.largeBodyTimeoutMs),
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    // A missing Host is answered like a foreign one, with a reason.
    requireHostHeader: false,
  };
  if (tls === null) {
    const server = createHttp(bounds);
    server.timeout = limits.stalledMs;
    return {
      server,
      protocols: [{ protocol: server, isTls: false }],
      closeIdle: () => server.closeIdleConnections(),
      closeAll: () => server.closeAllConnections(),
    };
  }
  const handshakeTimeout = limits.headersTimeoutMs;
  const secure = createHttps({ ...bounds, ...tls, minVersion: 'TLSv1.2', handshakeTimeout });
  secure.timeout = limits.stalledMs;
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  const redirect = createHttp(bounds, (request, response) => {
    const host = /^[\w.:[\]-]{1,255}$/.test(request.headers.host ?? '') ? request.headers.host : 'localhost';
    const Location = `https://${host}${request.url?.startsWith('/') === true ? request.url : '/'}`;
    // 308: a POST comes again as one. What was sent in clear is not acted on.
    response.writeHead(308, { ...secureHeaders, Location, 'Content-Length': 0, Connection: 'close' });
    response.end();
  });
  redirect.timeout = limits.stalledMs;
  const sockets = new Set<Socket>();
  const server = createPlain((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const silent = setTimeout(() => socket.destroy(), limits.headersTimeoutMs);
    socket.once('close', () => clearTimeout(silent));
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      clearTimeout(silent);
      const first = socket.read(1) as Buffer | null;
      if (first === null) {
        socket.destroy();
        return;
      }
      socket.unshift(first);
      (first[0] === HANDSHAKE ? secure : redirect).emit('connection', socket);
    });
  });
  // Node keeps a server's connections, and looks after their time-outs, from this event on alone; these two never listen themselves.
  server.on('listening', () => {
    secure.emit('listening');
    redirect.emit('listening');
  });
  server.on('close', () => {
    secure.close();
    redirect.close();
  });
  return {
    server,
    protocols: [{ protocol: secure, isTls: true }],
    closeIdle() {
      secure.closeIdleConnections();
      redirect.closeIdleConnections();
    },
    closeAll() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
