// Standard output and error of a plugin's process -> lines of its log, as many and as long as are kept; what comes faster waits
// in the pipe, and its writer with it.
import type { Readable } from 'node:stream';
import type { Clock } from '../../contracts/clock.ts';
import { TokenBucket } from '../protocol/token-bucket.ts';

const LINE_MAX = 1_000;
const BYTES_PER_SECOND = 32_768;
const BYTES_BURST = 131_072;

export class OutputLines {
  readonly #bucket: TokenBucket;
  #rest = '';

  constructor(
    stream: Readable,
    options: {
      readonly clock: Pick<Clock, 'uptimeMs'>;
      readonly onLine: (text: string) => void;
      readonly onTooMuch: (detail: string) => void;
    },
  ) {
    const { clock, onLine, onTooMuch } = options;
    this.#bucket = new TokenBucket({
      perSecond: BYTES_PER_SECOND,
      burst: BYTES_BURST,
      nowMs: clock.uptimeMs(),
    });
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = (lines.pop() ?? '').slice(0, LINE_MAX);
      const waitMs = this.#bucket.owe(text.length, clock.uptimeMs());
      if (waitMs > 0) {
        onTooMuch(
          `more than ${BYTES_PER_SECOND} bytes of output a second; it waits, and what is too much is left out`,
        );
        stream.pause();
        setTimeout(() => stream.resume(), waitMs).unref();
        return;
      }
      for (const line of lines) if (line !== '') onLine(line.slice(0, LINE_MAX));
    });
    stream.on('error', () => stream.destroy());
    stream.on('end', () => {
      if (this.#rest !== '') onLine(this.#rest);
    });
  }
}
