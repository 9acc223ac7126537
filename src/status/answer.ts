// What a route gives back, and the one shape of every refusal.
import type { ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Stable; the API's documentation lists them. */
export type StatusCode =
  | 'status.malformed-request'
  | 'status.header-too-large'
  | 'status.request-timeout'
  | 'status.host-not-allowed'
  | 'status.too-many-requests'
  | 'status.not-found'
  | 'status.method-not-allowed'
  | 'status.body-not-allowed'
  | 'status.too-many-streams'
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
): Answer {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value)}\n`,
    headers,
  };
}

export function refusal(
  status: number,
  why: Refusal,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return jsonAnswer(status, why, headers);
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

/** `http` leaves the body of an answer to HEAD out by itself. */
export function send(response: ServerResponse, { status, contentType, body, headers = {} }: Answer): void {
  response.writeHead(status, {
    ...secureHeaders,
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
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
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${body}`;
}
