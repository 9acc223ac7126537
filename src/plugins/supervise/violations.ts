// Violations of one plugin -> events, not more than one a minute of each kind, with how many there were.
import type { EventData } from '../../contracts/event-types.ts';

type Violation = EventData<'security.violation'>;

const SPACING_MS = 60_000;

export class Violations {
  readonly #report: (violation: Violation) => void;
  readonly #waiting = new Map<Violation['what'], { count: number; reportedMs: number }>();
  total = 0;

  constructor(report: (violation: Violation) => void) {
    this.#report = report;
  }

  add(violation: Omit<Violation, 'count'>, nowMs: number): void {
    this.total += 1;
    const known = this.#waiting.get(violation.what);
    const count = (known?.count ?? 0) + 1;
    // What ends the plugin is told at once.
    const isDue =
      known === undefined || nowMs - known.reportedMs >= SPACING_MS || violation.action === 'blocked';
    if (isDue) this.#report({ ...violation, count });
    this.#waiting.set(violation.what, {
      count: isDue ? 0 : count,
      reportedMs: isDue || known === undefined ? nowMs : known.reportedMs,
    });
  }
}
