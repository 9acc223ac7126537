// The worst of what the buffer's pieces say, as the health of one part; a change is logged once.
import type { PartState, ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';

export type BufferPiece = 'redis' | 'reading' | 'mark' | 'memory-queue' | 'cursors' | 'archive';

const order: readonly PartState[] = ['ok', 'unknown', 'degraded', 'down'];

export class BufferHealth {
  readonly #report: ReportHealth;
  readonly #log: Log;
  readonly #pieces = new Map<BufferPiece, { readonly state: PartState; readonly why: string }>([
    ['redis', { state: 'unknown', why: 'Redis has not answered yet' }],
  ]);

  constructor(report: ReportHealth, log: Log) {
    this.#report = report;
    this.#log = log;
  }

  /** Saying the same again confirms it and is not logged. */
  say(piece: BufferPiece, state: PartState, why: string): void {
    const before = this.#pieces.get(piece);
    this.#pieces.set(piece, { state, why });
    if (before?.state !== state || (state !== 'ok' && before.why !== why)) {
      if (state !== 'ok') this.#log.warn({ piece, state }, why);
      else if (before !== undefined && before.state !== 'unknown') this.#log.info({ piece }, why);
    }
    this.confirm();
  }

  /** Everything is still as it was said. */
  confirm(): void {
    let worst: { readonly state: PartState; readonly why: string } | undefined;
    for (const said of this.#pieces.values())
      if (worst === undefined || order.indexOf(said.state) > order.indexOf(worst.state)) worst = said;
    if (worst !== undefined) this.#report(worst.state, worst.why);
  }
}
