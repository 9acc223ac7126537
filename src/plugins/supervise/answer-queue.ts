// Requests of a plugin's process -> their answers, sent as there is room in the pipe to it: who asks and does not read waits, and the
// daemon keeps little for him. Runs in the daemon.
import type { FromHost } from '../protocol/from-host.ts';
import type { AnswerRequest, RequestAnswer } from '../services/answer-request.ts';
import type { HostLink } from './host-link.ts';

const REQUESTS_MAX = 256;

type Request = Extract<FromHost, { t: 'request' }>;

export class AnswerQueue {
  readonly #answer: AnswerRequest;
  readonly #link: Pick<HostLink, 'send' | 'room'>;
  #listing: Promise<void> = Promise.resolve();
  #open = 0;

  constructor(answer: AnswerRequest, link: Pick<HostLink, 'send' | 'room'>) {
    this.#answer = answer;
    this.#link = link;
  }

  take(message: Request): void {
    const { r, request } = message;
    if (this.#open >= REQUESTS_MAX) {
      const reason = `${REQUESTS_MAX} requests are not answered yet; wait for some of them`;
      this.#link.send({ t: 'answer', r, ok: false, code: 'request.too-many', reason });
      return;
    }
    this.#open += 1;
    // A list is made anew for each question: one at a time, so that not as many as may be asked for are in memory.
    if (request.op === 'kv.keys') this.#listing = this.#listing.then(() => this.#serve(message));
    else void this.#serve(message);
  }

  /** No async function: while one waits, what it was given stays in memory. */
  #serve({ r, request }: Request): Promise<void> {
    return this.#answer(request).then((answer) => this.#send(r, answer));
  }

  async #send(r: number, answer: RequestAnswer): Promise<void> {
    // Many may wait: each looks again in the very step in which it sends.
    for (let room = this.#link.room; room !== null; room = this.#link.room) await room;
    this.#open -= 1;
    this.#link.send({ t: 'answer', r, ...answer });
  }
}
