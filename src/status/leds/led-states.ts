// The LED's language: one row a state, the first row that is true is shown. Pure data; also what the page and the manual show.

export interface LedPattern {
  /** Milliseconds lit, then dark; `offMs` 0: steadily lit. */
  readonly onMs: number;
  readonly offMs: number;
  readonly meaning: string;
}

export const ledStates = {
  identify: { onMs: 60, offMs: 60, meaning: 'Somebody asked which box this is.' },
  fault: { onMs: 200, offMs: 200, meaning: 'The bus is not watched, or events are not stored.' },
  updating: { onMs: 400, offMs: 400, meaning: 'An update is being written: leave the power on.' },
  booting: { onMs: 1_000, offMs: 1_000, meaning: 'Not all parts have reported yet.' },
  'setting-up': { onMs: 100, offMs: 900, meaning: 'No broker is configured.' },
  'buffering-offline': {
    onMs: 1_800,
    offMs: 200,
    meaning: 'The broker is away: events are kept until it is back.',
  },
  attention: { onMs: 100, offMs: 2_900, meaning: 'It works, but something wants looking at.' },
  good: { onMs: 1_000, offMs: 0, meaning: 'Watched, stored, sent.' },
} as const satisfies Readonly<Record<string, LedPattern>>;

export type LedState = keyof typeof ledStates;
