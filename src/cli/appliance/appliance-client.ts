// A running appliance, here through its control socket or elsewhere by its address and a token -> answers, or an error that says what
// to do. Node tells nothing about who is at the other end of a socket: the modes of file and folder decide who may open it.
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { AppError } from '../../lib/app-error.ts';
import { errorText } from '../../lib/error-text.ts';
import { cliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';

const defaultSocket = '/run/autoweave/control.sock';
const READ_LIMIT_MS = 30_000;
/** A bundle is sent, verified, unpacked and started before its answer. */
const ACT_LIMIT_MS = 120_000;

/** Of a command that asks for one thing to be done. */
export const actOptions = {
  socket: { type: 'string' },
  url: { type: 'string' },
  'token-file': { type: 'string' },
  ca: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export const applianceOptions = {
  ...actOptions,
  watch: { type: 'boolean', default: false },
} as const;

const whichAppliance = `  --socket FILE      the control socket of the appliance here ($AUTOWEAVE_SOCKET, else
                     ${defaultSocket})
  --url URL          an appliance in the network, as https://till-3.local:8480, with
  --token-file FILE  a token that its page or \`autoweave token add\` has made
  --ca FILE          the certificate to trust: the one the appliance shows, once compared
  --json             the answer as JSON`;
/** In the line of a command that asks for one thing to be done. */
export const whereOptions = '[--json] [--socket FILE | --url URL --token-file FILE]';
export const actUsage = whichAppliance;
export const applianceUsage = `${whichAppliance}; one line each with --watch`;

export interface ApplianceClient {
  /** @throws AppError with the appliance's own code where it says no; `cli.no-daemon` where nobody answers. */
  get(path: string): Promise<Readonly<Record<string, unknown>>>;
  /** Asks for something to be done; `{}` where the answer has no content. Throws as `get` does. */
  send(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** The answer as it comes; ended by `signal`. */
  open(path: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** The same appliance, asked as this user. Whoever logs in logs out: `send('DELETE', '/api/v1/session')`. */
  logIn(asked: {
    readonly name: string;
    readonly password: string;
    readonly totp?: string;
  }): Promise<ApplianceClient>;
}

export async function applianceClient(
  values: {
    readonly socket?: string | undefined;
    readonly url?: string | undefined;
    readonly 'token-file'?: string | undefined;
    readonly ca?: string | undefined;
  },
  environment: CommandContext['environment'],
): Promise<ApplianceClient> {
  const { url } = values;
  // An empty variable counts as not set.
  const socket = values.socket ?? (environment.AUTOWEAVE_SOCKET || defaultSocket);
  const base = url === undefined ? null : parseUrl(url);
  const tokenFile = values['token-file'];
  const token = tokenFile === undefined ? null : (await fileOf(tokenFile)).trim();
  const ca = values.ca === undefined ? {} : { ca: await fileOf(values.ca) };
  const ask: Ask = (headers, path, { signal, method = 'GET', body }) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const isJson = sent === undefined ? {} : { 'Content-Type': 'application/json' };
    const options: RequestOptions = {
      ...{ path, method, signal, agent: false },
      headers: { ...headers, ...isJson, 'Content-Length': Buffer.byteLength(sent ?? '') },
    };
    const asking =
      base === null
        ? requestHttp({ ...options, socketPath: socket })
        : base.protocol === 'https:'
          ? requestHttps({ ...options, ...ca, host: hostOf(base), port: base.port || 443 })
          : requestHttp({ ...options, host: hostOf(base), port: base.port || 80 });
    asking.on('response', resolve);
    asking.on('error', (cause) => reject(noDaemon(url ?? socket, base !== null, cause)));
    asking.end(sent);
    return promise;
  };
  return clientWith(ask, token === null ? {} : { Authorization: `Bearer ${token}` });
}

type Headers = Readonly<Record<string, string>>;
type Ask = (headers: Headers, path: string, asked: Asked) => Promise<IncomingMessage>;

function clientWith(ask: Ask, headers: Headers): ApplianceClient {
  const sent = async (method: Asked['method'], path: string, body: unknown) =>
    refuse(
      await ask(headers, path, {
        ...{ signal: AbortSignal.timeout(ACT_LIMIT_MS), body },
        ...(method === undefined ? {} : { method }),
      }),
    );
  return {
    open: async (path, signal) => refuse(await ask(headers, path, { signal })),
    get: async (path) =>
      parsed(await refuse(await ask(headers, path, { signal: AbortSignal.timeout(READ_LIMIT_MS) }))),
    send: async (method, path, body) => parsed(await sent(method, path, body)),
    async logIn(asked) {
      const answer = await sent('POST', '/api/v1/session', asked);
      const [cookie = ''] = answer.headers['set-cookie']?.[0]?.split(';', 1) ?? [];
      const { csrf } = await parsed(answer);
      return clientWith(ask, { Cookie: cookie, 'X-CSRF-Token': String(csrf) });
    },
  };
}

interface Asked {
  readonly signal: AbortSignal;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
}

async function parsed(answer: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const said = await text(answer);
  return (said === '' ? {} : JSON.parse(said)) as Readonly<Record<string, unknown>>;
}

async function refuse(answer: IncomingMessage): Promise<IncomingMessage> {
  const { statusCode = 0, headers } = answer;
  if (statusCode < 300) return answer;
  if (statusCode < 400)
    throw new AppError(
      'cli.moved',
      `the appliance answers at ${headers.location ?? 'another address'}: use that`,
    );
  const body = await text(answer);
  const isProblem = String(headers['content-type']).startsWith('application/problem+json');
  const { code, detail, remedy } = (isProblem ? JSON.parse(body) : {}) as Readonly<Record<string, unknown>>;
  if (typeof code === 'string') throw new AppError(code, `${String(detail)}. ${String(remedy)}`);
  throw new AppError('cli.no-appliance', `what answers is no appliance (HTTP ${statusCode}): check --url`);
}

function noDaemon(where: string, isRemote: boolean, cause: unknown): AppError {
  const remedy = isRemote
    ? 'check address, network and, for https, --ca'
    : 'it must run, and this user be its user, its group or root (--socket or AUTOWEAVE_SOCKET names another place)';
  return new AppError('cli.no-daemon', `ask the appliance at ${where}: ${errorText(cause)}; ${remedy}`, {
    cause,
  });
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw cliError('cli.usage', `--url takes an address such as https://till-3.local:8480, not ${text}`);
  return url;
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

async function fileOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw cliError('cli.unreadable', `read ${file}: ${errorText(cause)}`, cause);
  }
}
