// Administration on the appliance itself: HTTP on a unix socket that only the runtime's user and group may open. Everything
// that changes something is here, and not on the port of the page.
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import type { Log } from '../contracts/log.ts';
import type { PluginAct, PluginControl } from '../contracts/plugin-status.ts';
import { errorText } from '../lib/error-text.ts';
import { type Answer, jsonAnswer, send } from './answer.ts';

/** A bundle and a little more; its own limit is checked where it is verified. */
const BODY_MAX = 9 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 120_000;

export interface ControlServer {
  stop(): Promise<void>;
}

export interface ControlOptions {
  readonly socket: string;
  readonly log: Log;
  /** Everything below /api/. */
  readonly api: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** null: this run has no plugins. */
  readonly plugins: () => PluginControl | null;
}

/** @throws the error of the system when the socket cannot be made. */
export async function startControl(options: ControlOptions): Promise<ControlServer> {
  const { log, socket } = options;
  await mkdir(path.dirname(socket), { recursive: true });
  // Left by a daemon that was killed. Two daemons do not share a run directory.
  await rm(socket, { force: true });
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    if (request.url?.startsWith('/api/') === true) {
      void options.api(request, response);
      return;
    }
    answer(request, options.plugins()).then(
      (what) => reply(response, what),
      (cause: unknown) => {
        log.error({ err: cause, url: request.url }, 'a control request could not be answered');
        reply(response, jsonAnswer(500, { code: 'status.internal', reason: errorText(cause) }));
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o660);
  return {
    async stop() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

function reply(response: ServerResponse, what: Answer): void {
  // The rest of a body that was not read must not be taken for a request.
  response.setHeader('Connection', 'close');
  send(response, what);
}

async function answer(request: IncomingMessage, plugins: PluginControl | null): Promise<Answer> {
  const [url = ''] = (request.url ?? '').split('?', 1);
  const [, version, kind, name, verb, ...rest] = url.split('/');
  if (version !== 'v1' || kind !== 'plugins' || rest.length > 0)
    return refused(404, 'status.not-found', `there is nothing at ${JSON.stringify(url.slice(0, 100))}`);
  if (plugins === null)
    return refused(503, 'plugins.unavailable', 'this run of the appliance has no plugins; its log says why');
  const method = request.method ?? '';
  if (name === undefined) {
    if (method === 'GET') return jsonAnswer(200, { plugins: await plugins.list() });
    if (method === 'POST') return install(request, plugins);
  } else if (verb === undefined) {
    if (method === 'DELETE') return acted(await plugins.remove(name));
    if (method === 'GET') return shown(name, plugins);
  } else if (verb === 'logs' && method === 'GET') {
    const lines = plugins.logs(name);
    return lines === null ? unknown(name) : jsonAnswer(200, { lines });
  } else if (isAct(verb) && method === 'POST') return acted(await plugins[verb](name));
  return refused(405, 'status.method-not-allowed', `${method} is not possible at ${url}`);
}

async function install(request: IncomingMessage, plugins: PluginControl): Promise<Answer> {
  const header = request.headers['autoweave-signature'];
  if (typeof header !== 'string')
    return refused(
      400,
      'plugins.signature-missing',
      'the header autoweave-signature is missing: base64 of the .minisig',
    );
  const body = await readBody(request);
  if (body === null) return refused(413, 'bundle.too-large', `the bundle is larger than ${BODY_MAX} bytes`);
  return acted(await plugins.install(body, Buffer.from(header, 'base64').toString('utf8')));
}

async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function shown(name: string, plugins: PluginControl): Promise<Answer> {
  const found = (await plugins.list()).find((plugin) => plugin.name === name);
  return found === undefined ? unknown(name) : jsonAnswer(200, found);
}

function acted(act: PluginAct): Answer {
  if (act.ok) return jsonAnswer(200, { detail: act.detail, plugin: act.plugin });
  return refused(act.code === 'plugins.not-installed' ? 404 : 409, act.code, act.reason);
}

function unknown(name: string): Answer {
  return refused(404, 'plugins.not-installed', `no plugin named ${name} is installed`);
}

function refused(status: number, code: string, reason: string): Answer {
  return jsonAnswer(status, { code, reason });
}

function isAct(verb: string): verb is 'enable' | 'disable' | 'restart' | 'rollback' {
  return ['enable', 'disable', 'restart', 'rollback'].includes(verb);
}
