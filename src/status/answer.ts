// What a route gives back, and the one shape of every refusal: problem details (RFC 9457).
import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http';
import { type Coding, chooseCoding, compressedOnce } from './content-coding.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** The same body compressed; given for what never changes and holds no secret. */
  readonly encoded?: (coding: Coding) => Uint8Array;
}

export interface TextAnswer extends Answer {
  readonly body: string;
}

/** Stable; the API's documentation lists them. Those of an act come from the part that refused it. */
export type StatusCode =
  | 'status.malformed-request'
  | 'status.header-too-large'
  | 'status.request-timeout'
  | 'status.host-not-allowed'
  | 'status.origin-not-allowed'
  | 'status.too-many-requests'
  | 'status.not-found'
  | 'status.method-not-allowed'
  | 'status.body-not-allowed'
  | 'status.body-too-large'
  | 'status.body-not-json'
  | 'status.invalid-request'
  | 'status.too-many-streams'
  | 'status.login-needed'
  | 'status.role-too-low'
  | 'status.csrf-wrong'
  | 'status.unclaimed'
  | 'status.internal';

export interface Refusal {
  readonly code: StatusCode;
  readonly message: string;
  readonly remedy: string;
}

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): TextAnswer {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value)}\n`,
    headers,
  };
}

/** JSON that is the same as long as nothing but its time has changed: whoever names its ETag gets 304 instead. */
export function taggedAnswer(value: Readonly<Record<string, unknown>>): Answer {
  const lasting = { ...value, time: undefined };
  const tag = createHash('sha256').update(JSON.stringify(lasting)).digest('base64url').slice(0, 22);
  return jsonAnswer(200, value, { ETag: `W/"${tag}"` });
}

/** The same for everybody as long as the daemon runs. */
export function lastingAnswer(answer: TextAnswer): TextAnswer {
  return { ...answer, encoded: compressedOnce(answer.body) };
}

export const noContent: Answer = { status: 204, contentType: '', body: '' };

export function refusal(
  status: number,
  why: Refusal,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return problem(status, why, headers);
}

/** `code` is anybody's here: a part's own refusal passes through. `more`: further members. */
export function problem(
  status: number,
  why: { readonly code: string; readonly message: string; readonly remedy: string },
  headers: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Answer {
  const { code, message, remedy } = why;
  const title = STATUS_CODES[status] ?? 'Refused';
  const type = `urn:autoweave:problem:${code}`;
  const body = { type, title, status, code, detail: message, remedy, ...more };
  return {
    status,
    contentType: 'application/problem+json; charset=utf-8',
    body: `${JSON.stringify(body)}\n`,
    headers,
  };
}

/** On everything that is sent; the page adds a policy of its own. Nothing may be stored: every answer is about now. */
export const secureHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), usb=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** `http` leaves the body of an answer to HEAD out by itself. @param asked headers of the request */
export function send(
  response: ServerResponse,
  { status, contentType, body, encoded, headers = {} }: Answer,
  asked: IncomingHttpHeaders = {},
): void {
  const knownTag = asked['if-none-match'];
  const isKnown =
    status === 200 && headers.ETag !== undefined && knownTag?.split(/, */).includes(headers.ETag) === true;
  if (isKnown || status === 204) {
    response.writeHead(isKnown ? 304 : 204, { ...secureHeaders, ...headers });
    response.end();
    return;
  }
  const coding = encoded === undefined ? null : chooseCoding(asked['accept-encoding'] ?? '');
  const bytes = encoded === undefined || coding === null ? body : encoded(coding);
  response.writeHead(status, {
    ...secureHeaders,
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(bytes),
    ...(encoded === undefined ? {} : { Vary: 'Accept-Encoding' }),
    ...(coding === null ? {} : { 'Content-Encoding': coding }),
    ...headers,
  });
  response.end(bytes);
}

/** An answer as the bytes of a connection that is no request: it is closed afterwards. */
export function rawAnswer(reason: string, { status, contentType, body }: Answer): string {
  const headers = {
    ...secureHeaders,
    'Content-Type': contentType,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${String(body)}`;
}
