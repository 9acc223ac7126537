// One HTTP request -> one answer. The order of the checks is fixed: host, rate, form, route, method, body.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { createAddressPlaces } from './address-places.ts';
import { type Answer, refusal, send } from './answer.ts';
import { createEventStreams, type EventStreams } from './event-streams.ts';
import { isAllowedHost } from './host-check.ts';
import { createRateLimit } from './rate-limit.ts';
import { makeRoutes } from './routes.ts';
import type { StatusLimits } from './status-limits.ts';
import type { StatusOptions } from './status-options.ts';

export interface RequestHandler {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends the live streams. */
  stop(): void;
}

export function createRequestHandler(options: StatusOptions, limits: StatusLimits): RequestHandler {
  const { clock, config, log, metrics } = options;
  const routes = new Map(makeRoutes(options).map((route) => [route.path, route]));
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
  const streams: EventStreams = createEventStreams({ ...options, limits, places });

  const check = (request: IncomingMessage): Answer | null => {
    if (!isAllowedHost(request.headers.host, hosts)) return foreignHost(request.headers.host);
    const seconds = rateLimit.wait(request.socket.remoteAddress ?? '', clock.uptimeMs());
    if (seconds > 0) return tooMany(seconds, config.requestsPerSecond);
    return request.url?.startsWith('/') === true ? null : noPath;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = (what: Answer) => {
      // What was not read (a body) must not be taken for the next request.
      if (hasBody(request)) response.setHeader('Connection', 'close');
      send(response, what);
    };
    const refused = check(request);
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const route = routes.get(path);
    if (refused !== null) reply(refused);
    else if (route === undefined) reply(notFound(path, [...routes.keys()]));
    else if (request.method !== 'GET' && request.method !== 'HEAD') reply(wrongMethod(request.method, path));
    else if (hasBody(request)) reply(bodyNotAllowed);
    else if (route.answer !== 'stream') reply(await route.answer());
    else if (request.method === 'HEAD') reply(streamHead);
    else {
      const opened = streams.open(request, response, new URLSearchParams(query));
      if (opened === 'full') reply(tooManyStreams(config.sseClients));
      if (opened === 'share-used-up')
        reply(tooManyOfAddress(places.most(request.socket.remoteAddress ?? '')));
    }
  };

  return {
    async handle(request, response) {
      // A client that goes away while it is answered is nothing to report.
      response.on('error', (cause) => log.debug({ err: cause }, 'a client left before it was answered'));
      try {
        await answer(request, response);
      } catch (cause) {
        log.error({ err: cause, url: request.url }, 'a request could not be answered');
        if (response.headersSent) response.destroy();
        else send(response, internal);
      }
      const [path = ''] = (request.url ?? '').split('?', 1);
      // Any path may be asked for: only the known ones become labels.
      metrics.requests.add(1, {
        route: routes.has(path) ? path : 'unknown',
        code: String(response.statusCode),
      });
    },
    stop: () => streams.stop(),
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
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

const bodyNotAllowed = refusal(413, {
  code: 'status.body-not-allowed',
  message: 'the request carries a body, and nothing here takes one',
  remedy: 'Send it without a body.',
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

function notFound(path: string, paths: readonly string[]): Answer {
  return refusal(404, {
    code: 'status.not-found',
    message: `there is nothing at ${JSON.stringify(path.slice(0, 100))}`,
    remedy: `Known are ${paths.join(', ')}.`,
  });
}

function wrongMethod(method: string | undefined, path: string): Answer {
  const why = {
    code: 'status.method-not-allowed',
    message: `${method ?? 'that'} is not possible at ${path}`,
    remedy: 'Use GET or HEAD: nothing can be changed here.',
  } as const;
  return refusal(405, why, { Allow: 'GET, HEAD' });
}
