// One signed body -> one POST to the receiver, and what its answer means. Redirects are not followed, certificates always checked.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../contracts/clock.ts';
import type { WebhookConfig } from '../contracts/config/webhook-config.ts';
import { errorText } from '../lib/error-text.ts';
import { productVersion } from '../lib/product-version.ts';
import { explainRequestError } from './explain-request-error.ts';
import { isPrivateAddress, lookupPrivate, plainHttpRefused } from './private-address.ts';
import { retryAfterMs } from './retry-after.ts';
import { WebhookError } from './webhook-error.ts';
import { signWebhook } from './webhook-signature.ts';

/** What follows in an answer's body is of no interest: the connection is closed over it. */
const ANSWER_MAX_BYTES = 65_536;

export interface WebhookRequest {
  readonly id: string;
  readonly contentType: string;
  readonly body: Buffer;
}

export type WebhookAnswer =
  | { readonly kind: 'accepted' }
  /** 410: it wants no events any more. */
  | { readonly kind: 'gone' }
  /** 413 */
  | { readonly kind: 'too-large' }
  /** It answered, but did not take it; or it did not answer (`status` null). `reason` is short and stable, for metrics. */
  | {
      readonly kind: 'failed';
      readonly status: number | null;
      readonly reason: string;
      readonly why: string;
      readonly retryAfterMs: number | null;
    };

/** Destroyed after a failure, once none of its requests is on its way any more. */
interface SharedAgent {
  readonly agent: http.Agent;
  requests: number;
  isRetired: boolean;
}

export class WebhookClient {
  /** `https://host:port`, without path and query, which may be secret. */
  readonly shownAddress: string;
  readonly #config: WebhookConfig;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #url: URL;
  readonly #requests = new Set<ClientRequest>();
  /** A promise, so that requests which begin together have one. */
  #shared: Promise<SharedAgent> | null = null;

  constructor(config: WebhookConfig, clock: Pick<Clock, 'now'>) {
    this.#config = config;
    this.#clock = clock;
    this.#url = new URL(config.url);
    this.shownAddress = this.#url.origin;
  }

  /** Never rejects. */
  async post(request: WebhookRequest): Promise<WebhookAnswer> {
    this.#shared ??= this.#openAgent();
    const opening = this.#shared;
    let shared: SharedAgent | undefined;
    try {
      shared = await opening;
      shared.requests += 1;
      return await this.#attempt(request, shared.agent);
    } catch (error) {
      if (this.#shared === opening) this.#shared = null;
      if (shared !== undefined) shared.isRetired = true;
      const { code, why } = explainRequestError(error);
      return { kind: 'failed', status: null, reason: code, why, retryAfterMs: null };
    } finally {
      if (shared !== undefined) {
        shared.requests -= 1;
        if (shared.isRetired && shared.requests === 0) shared.agent.destroy();
      }
    }
  }

  /** Ends what is on its way. */
  close(): void {
    for (const request of this.#requests) request.destroy(new Error('stopped'));
    // Whoever asked for it says why it could not be opened.
    this.#shared?.then(
      ({ agent }) => agent.destroy(),
      () => undefined,
    );
    this.#shared = null;
  }

  async #attempt(request: WebhookRequest, agent: http.Agent): Promise<WebhookAnswer> {
    const sent = this.#request(request, agent);
    try {
      return await this.#answer(sent, request.body);
    } catch (error) {
      // The receiver closed a kept connection just when it was used again: no fault of anybody.
      if (!sent.reusedSocket || !isReset(error)) throw error;
      return this.#answer(this.#request(request, agent), request.body);
    }
  }

  #request({ id, contentType, body }: WebhookRequest, agent: http.Agent): ClientRequest {
    const { previousSecret, secret } = this.#config;
    const secrets = [secret, previousSecret].filter((each) => each !== undefined);
    const timestampSeconds = Math.floor(this.#clock.now().wallMs / 1_000);
    const isPlain = this.#url.protocol === 'http:';
    const guarded = isPlain && !this.#config.allowPlainHttp;
    return (isPlain ? http : https).request(this.#url, {
      method: 'POST',
      agent,
      ...(guarded && { lookup: lookupPrivate }),
      headers: {
        'content-type': contentType,
        'content-length': body.length,
        'user-agent': `autoweave-edge/${productVersion}`,
        'webhook-id': id,
        'webhook-timestamp': String(timestampSeconds),
        'webhook-signature': signWebhook({ id, timestampSeconds, body }, secrets),
      },
    });
  }

  /** Sends the body; resolves once the whole answer has come, or so much of it that the rest does not matter. */
  async #answer(request: ClientRequest, body: Buffer): Promise<WebhookAnswer> {
    const { timeoutMs } = this.#config;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    let answer: IncomingMessage | undefined;
    // Once there is a status it counts, whatever becomes of the rest.
    const fail = (error: Error) => (answer === undefined ? reject(error) : resolve(answer));
    const timer = setTimeout(() => {
      const late = new WebhookError('uplink.no-answer', `no answer within ${timeoutMs} ms`);
      request.destroy(late);
      fail(late);
    }, timeoutMs);
    this.#requests.add(request);
    request.on('error', fail);
    request.on('response', (response) => {
      let bytes = 0;
      answer = response;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_MAX_BYTES) response.destroy();
      });
      response.on('error', fail);
      response.on('close', () => resolve(response));
    });
    request.end(body);
    try {
      return this.#judge(await promise);
    } finally {
      clearTimeout(timer);
      this.#requests.delete(request);
    }
  }

  #judge({ headers, statusCode: status = 0 }: IncomingMessage): WebhookAnswer {
    if (status >= 200 && status < 300) return { kind: 'accepted' };
    if (status === 410) return { kind: 'gone' };
    if (status === 413) return { kind: 'too-large' };
    const why = `the receiver answered ${status}${remedyOf(status, this.#clock.now().synced)}`;
    const waitMs = retryAfterMs(headers, this.#clock.now().wallMs);
    return { kind: 'failed', status, reason: String(status), why, retryAfterMs: waitMs };
  }

  /** A new one after each failure: a renewed file of authorities is read, and no broken connection is used again. */
  async #openAgent(): Promise<SharedAgent> {
    return { agent: await this.#newAgent(), requests: 0, isRetired: false };
  }

  async #newAgent(): Promise<http.Agent> {
    const { allowPlainHttp, caFile, maxInFlight } = this.#config;
    const options = { keepAlive: true, maxSockets: maxInFlight };
    if (this.#url.protocol === 'https:')
      return new https.Agent({
        ...options,
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
        ...(caFile !== undefined && { ca: await readAuthorities(caFile) }),
      });
    const host = this.#url.hostname.replace(/^\[(.*)\]$/, '$1');
    // Names are checked when they are looked up.
    if (!allowPlainHttp && isIP(host) !== 0 && !isPrivateAddress(host)) throw plainHttpRefused(host);
    return new http.Agent(options);
  }
}

function remedyOf(status: number, clockIsSynced: boolean): string {
  if (status >= 300 && status < 400)
    return ', a redirect, which is not followed: set url to the final address';
  if (status === 404) return ': is the path of url right?';
  if (status !== 400 && status !== 401 && status !== 403) return '';
  return clockIsSynced
    ? ': does it know this secret?'
    : ": does it know this secret? This machine's clock is not synchronized, and receivers refuse requests of another time";
}

async function readAuthorities(caFile: string): Promise<string> {
  try {
    const text = await readFile(caFile, 'utf8');
    // OpenSSL skips what is no certificate in silence.
    void new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new WebhookError('uplink.bad-ca-file', `caFile ${caFile} cannot be used: ${errorText(cause)}`);
  }
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
