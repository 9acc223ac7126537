// The body of a request -> bounded JSON, or why not. Who may send one is decided before a byte of it is read.
import type { IncomingMessage } from 'node:http';
import { type Answer, refusal } from '../answer.ts';

export type BodyVerdict =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly answer: Answer };

export async function readBody(request: IncomingMessage, maxBytes: number): Promise<BodyVerdict> {
  // A form of a foreign page cannot say this without being asked for permission first.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    return { ok: false, answer: notJson('the request has no body of type application/json') };
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) return { ok: false, answer: tooLarge(maxBytes) };
      chunks.push(chunk);
    }
  } catch (cause) {
    // Whoever left before the end of his own body reads no answer, and is nothing to report.
    if (request.destroyed && !request.complete) return { ok: false, answer: notJson('the body has no end') };
    throw cause;
  }
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

function tooLarge(maxBytes: number): Answer {
  return refusal(413, {
    code: 'status.body-too-large',
    message: `the body has more than ${maxBytes} bytes`,
    remedy: 'Send less.',
  });
}
