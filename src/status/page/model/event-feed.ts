// The appliance's event stream (SSE) -> the newest events, taken over a few times a second whatever the rate.
import type { ApplianceEvent, DevicesAnswer } from './answers.ts';
import type { FeedRow } from './join-older.ts';

export type FeedState = 'closed' | 'connecting' | 'open' | 'lost';

const MOST_ROWS = 400;
const TAKE_OVER_MS = 200;
const RETRY_MS = 4_000;
const RESUME_MS = 60_000;

/**
 * INVARIANTS
 * - At most MOST_ROWS rows are kept, shown or waiting, so that a page left open for weeks stays as it is.
 * - While paused the shown rows do not change; what comes meanwhile is counted.
 */
export class EventFeed {
  readonly #changed: () => void;
  readonly #onType: (types: ReadonlySet<string>) => void;
  readonly #onDevices: (answer: DevicesAnswer) => void;
  #source: EventSource | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #takeOver: ReturnType<typeof setTimeout> | undefined;
  #waiting: FeedRow[] = [];
  #types = new Set<string>();
  #lastId = '';
  #notices = 0;
  #pending = 0;
  #arrivals: readonly { readonly atMs: number; readonly count: number }[] = [];

  rows: readonly FeedRow[] = [];
  state: FeedState = 'closed';
  stateSinceMs = performance.now();
  paused = false;
  heldBack = 0;
  total = 0;

  constructor(told: {
    readonly changed: () => void;
    /** Which types came since the last time. */
    readonly onType: (types: ReadonlySet<string>) => void;
    /** The list as it is now: at the opening, and whenever it has changed. */
    readonly onDevices: (answer: DevicesAnswer) => void;
  }) {
    this.#changed = told.changed;
    this.#onType = told.onType;
    this.#onDevices = told.onDevices;
  }

  open(): void {
    if (this.#source !== null) return;
    clearTimeout(this.#retry);
    // Not everything that came since yesterday is to pass through the page: it begins anew, and shows no line of before.
    if (performance.now() - this.stateSinceMs > RESUME_MS && this.state === 'closed') this.forget();
    const from = this.#lastId === '' ? 'last=60' : `lastEventId=${encodeURIComponent(this.#lastId)}`;
    const source = new EventSource(`/api/v1/events?unnamed&devices&${from}`);
    this.#source = source;
    this.#setState(this.state === 'closed' ? 'connecting' : this.state);
    source.onopen = () => this.#setState('open');
    source.onerror = () => {
      this.#setState('lost');
      // After a refusal (too many listeners, not logged in) the browser gives up by itself.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#drop();
      this.#retry = setTimeout(() => this.open(), RETRY_MS);
    };
    source.addEventListener('stream.notice', ({ data }) => {
      const { message, remedy } = JSON.parse(String(data)) as {
        readonly message: string;
        readonly remedy: string;
      };
      this.#notices += 1;
      this.#add({ key: `notice-${this.#notices}`, event: null, notice: `${message}. ${remedy}` });
    });
    source.addEventListener('stream.devices', ({ data }) =>
      this.#onDevices(JSON.parse(String(data)) as DevicesAnswer),
    );
    source.onmessage = ({ data, lastEventId }) => {
      this.#lastId = lastEventId;
      const event = JSON.parse(String(data)) as ApplianceEvent;
      this.#types.add(event.type);
      this.#add({ key: event.id, event, notice: null });
    };
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#drop();
    this.#setState('closed');
  }

  /** Whose events it was must not stay on the screen after a log-out. */
  forget(): void {
    this.close();
    this.#lastId = '';
    this.#waiting = [];
    this.rows = [];
    this.heldBack = 0;
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.#show();
    this.#changed();
  }

  /** Of the last ten seconds. */
  perSecond(nowMs: number): number {
    const recent = this.#arrivals.filter(({ atMs }) => atMs > nowMs - 10_000);
    return recent.reduce((sum, { count }) => sum + count, 0) / 10;
  }

  #add(row: FeedRow): void {
    this.#waiting.push(row);
    if (this.#waiting.length > 2 * MOST_ROWS) this.#waiting = this.#waiting.slice(-MOST_ROWS);
    if (this.paused) this.heldBack += 1;
    this.#takeOver ??= setTimeout(() => this.#take(), TAKE_OVER_MS);
    // The first event of a burst is told at once: a device that appears is not to wait for the clock.
    if (this.#pending === 0 && row.event !== null) this.#onType(new Set([row.event.type]));
    this.#pending += 1;
  }

  #take(): void {
    this.#takeOver = undefined;
    const nowMs = performance.now();
    this.total += this.#pending;
    this.#arrivals = [
      ...this.#arrivals.filter(({ atMs }) => atMs > nowMs - 10_000),
      { atMs: nowMs, count: this.#pending },
    ];
    this.#pending = 0;
    if (!this.paused) this.#show();
    this.#onType(this.#types);
    this.#types = new Set();
    this.#changed();
  }

  #show(): void {
    this.rows = [...this.#waiting.reverse(), ...this.rows].slice(0, MOST_ROWS);
    this.#waiting = [];
    this.heldBack = 0;
  }

  #drop(): void {
    this.#source?.close();
    this.#source = null;
  }

  #setState(state: FeedState): void {
    if (this.state === state) return;
    this.state = state;
    this.stateSinceMs = performance.now();
    this.#changed();
  }
}
