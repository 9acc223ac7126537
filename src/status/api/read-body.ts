// The body of a request -> bounded JSON, or why not. Who may send one is decided before a byte of it is read.
import { on } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type Answer, refusal } from '../answer.ts';

export type BodyVerdict =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly answer: Answer };

export interface BodyBounds {
  readonly maxBytes: number;
  /** So long without another part of it. */
  readonly idleMs: number;
  /** From its begin to its end. */
  readonly withinMs: number;
}

export async function readBody(request: IncomingMessage, bounds: BodyBounds): Promise<BodyVerdict> {
  const { idleMs, maxBytes, withinMs } = bounds;
  // A form of a foreign page cannot say this without being asked for permission first.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    return { ok: false, answer: notJson('the request has no body of type application/json') };
  const chunks: Buffer[] = [];
  let bytes = 0;
  const late = new AbortController();
  const idle = setTimeout(() => late.abort(`nothing more of the body came for ${idleMs / 1_000} s`), idleMs);
  const whole = setTimeout(
    () => late.abort(`the body had not come to its end after ${withinMs / 1_000} s`),
    withinMs,
  );
  try {
    // Ends without taking the connection down, over which the answer goes.
    for await (const [chunk] of on(request, 'data', { close: ['end', 'close'], signal: late.signal })) {
      idle.refresh();
      bytes += (chunk as Buffer).length;
      if (bytes > maxBytes) return { ok: false, answer: tooLarge(maxBytes) };
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    if (late.signal.aborted) return { ok: false, answer: tooSlow(String(late.signal.reason)) };
    // Whoever left before the end of his own body reads no answer, and is nothing to report.
    if (request.destroyed && !request.complete) return { ok: false, answer: notJson('the body has no end') };
    throw cause;
  } finally {
    clearTimeout(idle);
    clearTimeout(whole);
  }
  if (!request.complete) return { ok: false, answer: notJson('the body has no end') };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { ok: true, value: JSON.parse(text) };
  } catch (cause) {
    // The text itself may be a password: the error, which quotes it, goes nowhere.
    if (cause instanceof SyntaxError || cause instanceof TypeError)
      return { ok: false, answer: notJson('the body is no JSON in UTF-8') };
    throw cause;
  }
}

function notJson(message: string): Answer {
  return refusal(415, {
    code: 'status.body-not-json',
    message,
    remedy: 'Send JSON with Content-Type: application/json.',
  });
}

function tooSlow(message: string): Answer {
  return refusal(408, {
    code: 'status.request-timeout',
    message,
    remedy: 'Send it again, whole, over a faster link.',
  });
}

function tooLarge(maxBytes: number): Answer {
  return refusal(413, {
    code: 'status.body-too-large',
    message: `the body has more than ${maxBytes} bytes`,
    remedy: 'Send less.',
  });
}
