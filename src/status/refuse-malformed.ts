// A connection whose bytes are no HTTP request (too large, too slow, garbage) -> one clear answer, then its end.
import type { Duplex } from 'node:stream';
import { type Answer, rawAnswer, refusal } from './answer.ts';

/** How long the client may take to read why. */
const LINGER_MS = 2_000;

/** Returns the status that was sent, or null when nothing could be. `busy`: another answer is on its way on this socket. */
export type RefuseMalformed = (error: NodeJS.ErrnoException, socket: Duplex, busy: boolean) => number | null;

export function createMalformedRefusal(): RefuseMalformed {
  const refused = new WeakSet<Duplex>();
  return (error, socket, busy) => {
    // More bytes of the same garbage: the answer is out already.
    if (refused.has(socket)) return null;
    if (busy || error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return null;
    }
    refused.add(socket);
    const [reason, answer] = answerTo(error.code);
    socket.end(rawAnswer(reason, answer));
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
    return answer.status;
  };
}

function answerTo(code: string | undefined): readonly [string, Answer] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        'Request Header Fields Too Large',
        refusal(431, {
          code: 'status.header-too-large',
          message: 'the request line and headers have more than 8 KiB',
          remedy: 'Send fewer or shorter headers.',
        }),
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [
        'Request Timeout',
        refusal(408, {
          code: 'status.request-timeout',
          message: 'the request was not complete in time',
          remedy: 'Send it again, whole.',
        }),
      ];
    default:
      return [
        'Bad Request',
        refusal(400, {
          code: 'status.malformed-request',
          message: `the request is not HTTP/1.1${code === undefined ? '' : ` (${code})`}`,
          remedy: 'Send a well-formed request.',
        }),
      ];
  }
}
