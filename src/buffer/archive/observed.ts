// The few fields of a stored event that say when it was observed; all optional, because what is stored may be damaged.

export interface Observed {
  readonly bootid?: string;
  readonly uptimems?: number;
  readonly time?: string;
  readonly clock?: string;
}

/** Never throws for what the text is. */
export function observedIn(json: string): Observed {
  try {
    const { bootid, uptimems, time, clock } = JSON.parse(json) as Readonly<Record<string, unknown>>;
    return {
      ...(typeof bootid === 'string' && { bootid }),
      ...(typeof uptimems === 'number' && { uptimems }),
      ...(typeof time === 'string' && { time }),
      ...(typeof clock === 'string' && { clock }),
    };
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError) return {};
    throw thrown;
  }
}
