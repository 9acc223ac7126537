// One HTTP request -> one answer. The order of the checks is fixed: host, rate, form; then those of api/api-router.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import type { Access } from './access/access.ts';
import type { AuditLog } from './access/audit-log.ts';
import { createAddressPlaces } from './address-places.ts';
import { type Answer, refusal, send } from './answer.ts';
import { type Connection, createApiRouter, hasBody } from './api/api-router.ts';
import { createDevicesAnswer } from './api/devices-answer.ts';
import { makeOperations } from './api/make-operations.ts';
import { createStamp } from './api/stamp.ts';
import { createEventStreams, type EventStreams } from './event-streams.ts';
import { isAllowedHost } from './host-check.ts';
import { createRateLimit } from './rate-limit.ts';
import type { StatusLimits } from './status-limits.ts';
import type { StatusOptions } from './status-options.ts';

export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse, connection: Connection): Promise<void>;
  /** A device came, went or changed. */
  devicesChanged(): void;
  /** Ends the live streams. */
  stop(): void;
}

export function createRequestHandler(
  options: StatusOptions,
  limits: StatusLimits,
  gate: { readonly access: Access; readonly audit: AuditLog },
): RequestHandler {
  const { clock, config, log, metrics } = options;
  const stamp = createStamp(options);
  const devicesAnswer = createDevicesAnswer(options, stamp);
  const operations = makeOperations(options, { ...gate, stamp, devicesAnswer });
  const router = createApiRouter({
    ...{ operations, ...gate, limits, publicReads: config.public, uptimeMs: () => clock.uptimeMs() },
  });
  const rateLimit = createRateLimit({
    perSecond: config.requestsPerSecond,
    burst: config.requestsPerSecond * 4,
  });
  const own = hostname().toLowerCase();
  const hosts = new Set(
    ['localhost', own, `${own}.local`, config.listen, ...(config.hostNames ?? [])].map((name) =>
      name.toLowerCase(),
    ),
  );
  const { addressShare: share, loopbackShare } = limits;
  const places = createAddressPlaces({ total: config.sseClients, share, loopbackShare });
  const streams: EventStreams = createEventStreams({ ...options, limits, places, devicesAnswer });

  const check = (request: IncomingMessage, { address }: Connection): Answer | null => {
    if (!isAllowedHost(request.headers.host, hosts)) return foreignHost(request.headers.host);
    const seconds = rateLimit.wait(address, clock.uptimeMs());
    if (seconds > 0) return tooMany(seconds, config.requestsPerSecond);
    return request.url?.startsWith('/') === true ? null : noPath;
  };

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    connection: Connection,
  ): Promise<void> => {
    const reply = (what: Answer) => {
      // What was not read (a body) must not be taken for the next request.
      if (hasBody(request) && !request.complete) response.setHeader('Connection', 'close');
      send(response, what, request.headers);
    };
    // Who reaches the local socket is decided by its file's mode: neither names nor floods are a matter there.
    const refused = connection.isLocal ? null : check(request, connection);
    if (refused !== null) return reply(refused);
    const what = await router.answer(request, connection);
    if (what !== 'stream') return reply(what);
    if (request.method === 'HEAD') return reply(streamHead);
    const query = new URLSearchParams((request.url ?? '').split('?', 2)[1] ?? '');
    const opened = streams.open(request, response, {
      query,
      address: connection.address,
      mayStill: router.mayStill(request, connection),
    });
    if (opened === 'full') reply(tooManyStreams(config.sseClients));
    if (opened === 'share-used-up') reply(tooManyOfAddress(places.most(connection.address)));
  };

  return {
    async handle(request, response, connection) {
      // A client that goes away while it is answered is nothing to report.
      response.on('error', (cause) => log.debug({ err: cause }, 'a client left before it was answered'));
      try {
        await answer(request, response, connection);
      } catch (cause) {
        log.error({ err: cause, url: request.url }, 'a request could not be answered');
        if (response.headersSent) response.destroy();
        else send(response, internal);
      }
      const [path = ''] = (request.url ?? '').split('?', 1);
      // Any path may be asked for: only the known ones become labels.
      metrics.requests.add(1, {
        route: router.routeOf(path) ?? 'unknown',
        code: String(response.statusCode),
      });
    },
    devicesChanged: () => streams.devicesChanged(),
    stop: () => streams.stop(),
  };
}

const internal = refusal(500, {
  code: 'status.internal',
  message: 'the answer could not be made',
  remedy: 'The log of the appliance says why.',
});

const noPath = refusal(400, {
  code: 'status.malformed-request',
  message: 'the request names no path of this server',
  remedy: 'Ask for a path that begins with /; this is no proxy.',
});

const streamHead: Answer = { status: 200, contentType: 'text/event-stream; charset=utf-8', body: '' };

function foreignHost(host: string | undefined): Answer {
  return refusal(421, {
    code: 'status.host-not-allowed',
    message: `the appliance does not answer to the name ${JSON.stringify((host ?? '').slice(0, 100))}`,
    remedy: 'Use its address or its host name, or add the name to status.hostNames.',
  });
}

function tooMany(seconds: number, perSecond: number): Answer {
  const why = {
    code: 'status.too-many-requests',
    message: `more than ${perSecond} requests a second came from this address`,
    remedy: `Wait ${seconds} s, or raise status.requestsPerSecond.`,
  } as const;
  return refusal(429, why, { 'Retry-After': String(seconds) });
}

function tooManyStreams(most: number): Answer {
  const why = {
    code: 'status.too-many-streams',
    message: `${most} listeners have the event stream open already`,
    remedy: 'Close one, or raise status.sseClients.',
  } as const;
  return refusal(503, why, { 'Retry-After': '10' });
}

function tooManyOfAddress(most: number): Answer {
  const why = {
    code: 'status.too-many-streams',
    message: `this address has ${most} event streams open already, its share`,
    remedy: 'Close one, or raise status.sseClients, of which one address gets a part.',
  } as const;
  return refusal(429, why, { 'Retry-After': '10' });
}
