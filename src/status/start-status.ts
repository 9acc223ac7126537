// The HTTP server of the page, the API and the metrics: its address, its bounds, its end. On the daemon's thread.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorText } from '../lib/error-text.ts';
import { openGate } from './access/open-gate.ts';
import { createAddressPlaces } from './address-places.ts';
import { type Announcement, announce } from './announce.ts';
import { type ClientAddresses, createClientAddresses } from './client-address.ts';
import { isLoopback } from './client-key.ts';
import { createRequestHandler } from './handle-request.ts';
import { createListener } from './listener.ts';
import { createMalformedRefusal } from './refuse-malformed.ts';
import { defaultLimits, type StatusLimits } from './status-limits.ts';
import type { StatusOptions } from './status-options.ts';

const CONFIRM_MS = 15_000;
const STOP_GRACE_MS = 300;

export interface StatusServer {
  /** For the start's message; port 0 is shown as the real one once it listens. */
  readonly url: string;
  readonly port: number;
  /** A request that came through the local socket: whoever can open it may do everything. */
  handleLocal(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** A device came, went or changed: who watches the list is told. */
  devicesChanged(): void;
  stop(): Promise<void>;
}

/** Resolves after the first attempt to listen. An address that is taken is tried again until stop(): the appliance goes on. */
export async function startStatus(options: StatusOptions): Promise<StatusServer> {
  const { config, log, metrics, report, retryMs = 5_000 } = options;
  const limits: StatusLimits = { ...defaultLimits, ...options.limits };
  const gate = await openGate(options);
  const clients = createClientAddresses(config.trustedProxies);
  const handler = createRequestHandler(options, limits, gate);
  const busy = new WeakSet<Duplex>();
  const refuseMalformed = createMalformedRefusal();
  const { server, protocols, closeIdle, closeAll } = createListener(limits, options.tls);
  limitConnections(server, limits, {
    isProxy: clients.isProxy,
    onDropped: () => metrics.requests.add(1, { route: 'dropped', code: '0' }),
  });
  for (const { protocol, isTls } of protocols) {
    for (const kind of ['request', 'checkContinue', 'checkExpectation'] as const) {
      protocol.on(kind, (request: IncomingMessage, response: ServerResponse) => {
        busy.add(request.socket);
        response.once('close', () => busy.delete(request.socket));
        void handler.handle(request, response, { isLocal: false, isTls, address: clients.of(request) });
      });
    }
    protocol.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const code = refuseMalformed(error, socket, busy.has(socket));
      if (code !== null) metrics.requests.add(1, { route: 'malformed', code: String(code) });
    });
  }

  let announcement: Announcement | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const attempt = async () => {
    const failure = await listen(server, config);
    if (stopped) return;
    if (failure === null) {
      // Only now: while listening is tried its errors are answers. Later ones (no descriptor for a connection) pass.
      server.on('error', (error) =>
        log.warn({ err: error }, 'the status server had to leave a connection out'),
      );
      const isOpen = options.tls === null && !isLoopback(config.listen) && config.listen !== 'localhost';
      const warning = isOpen ? '; passwords can be read on the way there: set status.tls' : '';
      const confirm = () =>
        report('ok', `answers on ${urlOf(server, config, options.tls !== null)}${warning}`);
      confirm();
      if (config.announce && !isLoopback(config.listen) && config.listen !== 'localhost')
        announcement = announce({
          ...{ name: options.appliance.name, version: options.version, isTls: options.tls !== null, log },
          ...{ port: () => portOf(server, config), uptimeMs: () => options.clock.uptimeMs() },
        });
      timer = setInterval(confirm, CONFIRM_MS);
    } else {
      const why = `cannot listen on ${config.listen} port ${config.port}: ${errorText(failure)}`;
      report('down', `${why}; ${remedyOf(failure)}; it is tried again`);
      log.warn({ err: failure, retryMs }, 'the status page has no address; everything else goes on');
      timer = setTimeout(() => void attempt(), retryMs);
    }
    timer.unref();
  };
  await attempt();
  return {
    get url() {
      return urlOf(server, config, options.tls !== null);
    },
    get port() {
      return portOf(server, config);
    },
    handleLocal: (request, response) =>
      handler.handle(request, response, { isLocal: true, isTls: false, address: 'local' }),
    devicesChanged: () => handler.devicesChanged(),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      handler.stop();
      await announcement?.stop();
      if (!server.listening) return;
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      closeIdle();
      const grace = setTimeout(closeAll, STOP_GRACE_MS);
      await closed.promise;
      clearTimeout(grace);
    },
  };
}

/** Beyond the bounds a connection is closed without a word: an answer would cost what the bounds are to save. */
function limitConnections(
  server: Server,
  limits: StatusLimits,
  { isProxy, onDropped }: { readonly isProxy: ClientAddresses['isProxy']; readonly onDropped: () => void },
): void {
  const { addressShare: share, loopbackShare, maxConnections: total } = limits;
  const places = createAddressPlaces({ total, share, loopbackShare, isProxy });
  server.on('connection', (socket) => {
    const given = places.take(socket.remoteAddress ?? '');
    if (typeof given !== 'string') socket.once('close', given);
    else {
      socket.destroy();
      onDropped();
    }
  });
}

function listen(server: Server, { listen: host, port }: StatusOptions['config']): Promise<Error | null> {
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  const failed = (error: Error) => {
    server.off('listening', listening);
    resolve(error);
  };
  const listening = () => {
    server.off('error', failed);
    resolve(null);
  };
  server.once('error', failed);
  server.once('listening', listening);
  server.listen({ host, port });
  return promise;
}

function remedyOf(failure: NodeJS.ErrnoException): string {
  switch (failure.code) {
    case 'EADDRINUSE':
      return 'another program has that port: stop it or set status.port';
    case 'EACCES':
      return 'ports below 1024 are not for this user: set status.port';
    default:
      return 'this machine has no such address: set status.listen';
  }
}

function portOf(server: Server, { port }: StatusOptions['config']): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function urlOf(server: Server, config: StatusOptions['config'], isTls: boolean): string {
  const { listen: host } = config;
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${isTls ? 'https' : 'http'}://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${portOf(server, config)}`;
}
