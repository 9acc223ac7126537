// A running appliance, here through its control socket or elsewhere by its address and a token -> answers, or an error that says what
// to do. Node tells nothing about who is at the other end of a socket: the modes of file and folder decide who may open it.
import { readFile } from 'node:fs/promises';
import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { AppError } from '../../lib/app-error.ts';
import { errorText } from '../../lib/error-text.ts';
import { cliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { type Answer, type Asking, chunksOf, noAppliance, parsed, refuse } from './appliance-answer.ts';

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
  /**
   * @param field what the answer must have to be an appliance's
   * @throws AppError with the appliance's own code where it says no; `cli.no-daemon` where nobody answers, `cli.broken-off`
   * where the answer has no end, `cli.no-appliance` where it is somebody else's.
   */
  get(path: string, field: string): Promise<Answer>;
  /** Asks for something to be done; `{}` where the answer has no content. Throws as `get` does. */
  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
  /** The answer as it comes; ended by `signal`. Both the promise and the chunks throw as `get` does. */
  open(
    path: string,
    asked: { readonly type: string; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Buffer>>;
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
  if (values.socket === '') throw cliError('cli.usage', '--socket takes a file, not nothing');
  if (values.socket !== undefined && url !== undefined)
    throw cliError('cli.usage', 'say --socket or --url, not both: each names an appliance');
  // Whoever means another appliance does not act on this one.
  if (url === undefined && (values['token-file'] ?? values.ca) !== undefined)
    throw cliError('cli.usage', '--token-file and --ca go with --url, which is missing');
  // An empty variable counts as not set.
  const socket = values.socket ?? (environment.AUTOWEAVE_SOCKET || defaultSocket);
  const base = url === undefined ? null : parseUrl(url);
  const tokenFile = values['token-file'];
  const token = tokenFile === undefined ? null : (await fileOf(tokenFile)).trim();
  if (token !== null && !isHeaderValue(token))
    throw cliError('cli.unreadable', `read ${tokenFile}: it holds something other than one token`);
  const ca = values.ca === undefined ? {} : { ca: await fileOf(values.ca) };
  const ask: Ask = (headers, path, { signal, method = 'GET', body }) => {
    const { promise, resolve, reject } = Promise.withResolvers<Asking>();
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
    const broken = (cause: unknown) => brokenOff(url ?? socket, method, cause);
    asking.on('response', (answer) => resolve({ answer, broken }));
    asking.on('error', (cause) => reject(noDaemon(url ?? socket, base !== null, cause)));
    asking.end(sent);
    return promise;
  };
  return clientWith(ask, token === null ? {} : { Authorization: `Bearer ${token}` });
}

type Headers = Readonly<Record<string, string>>;
type Ask = (headers: Headers, path: string, asked: Asked) => Promise<Asking>;

function clientWith(ask: Ask, headers: Headers): ApplianceClient {
  const sent = async (method: Asked['method'], path: string, body: unknown) =>
    refuse(
      await ask(headers, path, {
        ...{ signal: AbortSignal.timeout(ACT_LIMIT_MS), body },
        ...(method === undefined ? {} : { method }),
      }),
    );
  return {
    async open(path, { signal, type }) {
      const asking = await refuse(await ask(headers, path, { signal }));
      const said = String(asking.answer.headers['content-type']);
      if (said.startsWith(type)) return chunksOf(asking);
      asking.answer.destroy();
      throw noAppliance(`${said} in place of ${type}`);
    },
    async get(path, field) {
      const signal = AbortSignal.timeout(READ_LIMIT_MS);
      const answer = await parsed(await refuse(await ask(headers, path, { signal })));
      if (answer[field] === undefined) throw noAppliance(`its answer has no ${field}`);
      return answer;
    },
    send: async (method, path, body) => parsed(await sent(method, path, body)),
    async logIn(asked) {
      const answer = await sent('POST', '/api/v1/session', asked);
      const [cookie = ''] = answer.answer.headers['set-cookie']?.[0]?.split(';', 1) ?? [];
      const { csrf } = await parsed(answer);
      if (!isHeaderValue(csrf)) throw noAppliance('its answer has no csrf');
      return clientWith(ask, { Cookie: cookie, 'X-CSRF-Token': csrf });
    },
  };
}

interface Asked {
  readonly signal: AbortSignal;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
}

function brokenOff(where: string, method: string, cause: unknown): AppError {
  const remedy =
    method === 'GET' ? 'ask again' : 'whether it was done is not known: look before asking again';
  return new AppError(
    'cli.broken-off',
    `hear the appliance at ${where} to the end: ${errorText(cause)}; ${remedy}`,
    { cause },
  );
}

function noDaemon(where: string, isRemote: boolean, cause: unknown): AppError {
  const remedy = isRemote
    ? 'check address, network and, for https, --ca'
    : 'it must run, and this user be its user, its group or root (--socket or AUTOWEAVE_SOCKET names another place)';
  return new AppError('cli.no-daemon', `ask the appliance at ${where}: ${errorText(cause)}; ${remedy}`, {
    cause,
  });
}

function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && /^[!-~]+$/.test(value);
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
