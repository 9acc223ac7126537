// One retained document of the appliance (state or inventory): published when it changed, at most once a second, the newest
// version only. One object lives as long as one connection.
import type { Clock } from '../contracts/clock.ts';
import type { PublishOutcome } from '../mqtt/mqtt-message.ts';
import type { MqttSession } from '../mqtt/start-mqtt-session.ts';
import { isTooLarge } from './packet-size.ts';

const SPACING_MS = 1_000;

export interface RetainedDocumentOptions {
  readonly session: Pick<MqttSession, 'room' | 'publish'>;
  readonly topic: string;
  /** null: take the retained document back. */
  readonly make: () => object | null;
  readonly clock: Pick<Clock, 'uptimeMs'>;
  /** Of a whole packet, as the broker said; null: no limit. */
  readonly maximumPacketSize: number | null;
  readonly onSettled: (outcome: PublishOutcome) => void;
  /** It was not sent: the broker would end the connection over it. */
  readonly onTooLarge: (bytes: number) => void;
}

export class RetainedDocument {
  readonly #options: RetainedDocumentOptions;
  #due = false;
  #publishedMs: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RetainedDocumentOptions) {
    this.#options = options;
  }

  changed(): void {
    this.#due = true;
    this.flush();
  }

  /** Publishes the document if it is due, the window has a place, and the last time is a second ago. */
  flush(): void {
    const { clock, make, maximumPacketSize, onSettled, onTooLarge, session, topic } = this.#options;
    if (!this.#due || session.room <= 0) return;
    const waitMs = this.#publishedMs === null ? 0 : this.#publishedMs + SPACING_MS - clock.uptimeMs();
    if (waitMs > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.flush();
      }, waitMs);
      return;
    }
    this.#due = false;
    this.#publishedMs = clock.uptimeMs();
    const made = make();
    const payload = made === null ? '' : JSON.stringify(made);
    const message = { topic, payload, contentType: 'application/json' };
    if (isTooLarge(message, maximumPacketSize)) onTooLarge(Buffer.byteLength(payload));
    else session.publish({ ...message, qos: 1, retain: true }, onSettled);
  }

  stop(): void {
    this.#due = false;
    clearTimeout(this.#timer);
  }
}
