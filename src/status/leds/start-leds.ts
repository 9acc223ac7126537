// The appliance's state on its LEDs: looks at health when it changes and every few seconds, writes only what is new.

import type { ReportHealth } from '../../contracts/health.ts';
import type { Log } from '../../contracts/log.ts';
import { errorText } from '../../lib/error-text.ts';
import { type DrivenLed, driveLed } from './drive-led.ts';
import { findLeds } from './find-leds.ts';
import { type LedState, ledStates } from './led-states.ts';
import { type LedCircumstances, toLedState } from './to-led-state.ts';

/** LEDs come and go with their device; ages of health change without a call. */
const LOOK_MS = 5_000;

export interface Leds {
  /** What the LEDs say now, whether there is one or not. */
  state(): LedState;
  /** Something changed. */
  look(): void;
  stop(): Promise<void>;
}

export interface LedsOptions {
  readonly config: { readonly root: string; readonly names: readonly string[] };
  readonly circumstances: () => LedCircumstances;
  readonly report: ReportHealth;
  readonly log: Log;
}

interface Shown {
  readonly state: LedState;
  readonly led: DrivenLed | null;
}

/**
 * INVARIANTS
 * - One look at a time; what changed meanwhile is looked at right after it.
 * - An LED that cannot be written is tried again at every look and never ends anything else.
 */
export function startLeds({ circumstances, config, log, report }: LedsOptions): Leds {
  const shown = new Map<string, Shown>();
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  let again = false;

  const show = async (dir: string, state: LedState): Promise<string | null> => {
    const before = shown.get(dir);
    if (before?.state === state && before.led !== null) return null;
    before?.led?.stop();
    try {
      shown.set(dir, { state, led: await driveLed(dir, ledStates[state], stopping.signal) });
      return null;
    } catch (cause) {
      shown.set(dir, { state, led: null });
      return `${dir}: ${errorText(cause)}`;
    }
  };
  const lookOnce = async () => {
    const dirs = await findLeds(config.root, config.names);
    for (const [dir, { led }] of shown) {
      if (dirs.includes(dir)) continue;
      led?.stop();
      shown.delete(dir);
    }
    const state = toLedState(circumstances());
    const problems: string[] = [];
    for (const dir of dirs) {
      const problem = await show(dir, state);
      if (problem !== null) problems.push(problem);
    }
    tell(dirs.length, problems);
  };
  const tell = (count: number, problems: readonly string[]) => {
    if (problems.length > 0) {
      report(
        'degraded',
        `an LED cannot be written (${problems.join('; ')}): udev gives it to the runtime's user`,
      );
    } else if (count > 0) {
      report('ok', `${count} LED${count === 1 ? ' shows' : 's show'} the state`);
    } else if (config.names.length > 0) {
      report('degraded', `none of the LEDs of leds.names is there: ${config.names.join(', ')}`);
    } else {
      report('ok', 'this machine has no status LED; another one can be named in leds.names');
    }
  };
  const look = () => {
    if (stopping.signal.aborted) return;
    if (running !== null) {
      again = true;
      return;
    }
    running = lookOnce()
      .catch((cause: unknown) => {
        log.warn({ why: errorText(cause) }, 'the LEDs cannot be listed');
        report('degraded', `the LEDs cannot be listed: ${errorText(cause)}`);
      })
      .finally(() => {
        running = null;
        if (!again) return;
        again = false;
        look();
      });
  };
  const timer = setInterval(look, LOOK_MS).unref();
  look();

  return {
    state: () => toLedState(circumstances()),
    look,
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await running;
      for (const { led } of shown.values()) led?.stop();
    },
  };
}
