// One LED of /sys/class/leds: blinks by the kernel's `timer` trigger, or by writing its brightness where that cannot be had.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LedPattern } from './led-states.ts';

export interface DrivenLed {
  /** Who blinks: the kernel goes on when this process hangs, the process does not. */
  readonly by: 'kernel' | 'process';
  stop(): void;
}

/** udev hands `delay_on` to this user after the trigger made it. */
const DELAYS_WAIT_MS = 1_000;
const DELAYS_POLL_MS = 50;

/** Shows the pattern from now on. Rejects where the LED is gone or may not be written. */
export async function driveLed(
  dir: string,
  { onMs, offMs }: LedPattern,
  signal: AbortSignal,
): Promise<DrivenLed> {
  const set = (attribute: string, value: string) => writeFile(path.join(dir, attribute), value);
  const brightest = (await readFile(path.join(dir, 'max_brightness'), 'utf8')).trim();
  const idle: DrivenLed = { by: 'kernel', stop: () => undefined };
  if (offMs === 0) {
    await set('trigger', 'none');
    await set('brightness', brightest);
    return idle;
  }
  if (await blinkByKernel(dir, onMs, offMs, set, signal)) return idle;
  await set('trigger', 'none');
  return blinkByProcess(set, brightest, onMs, offMs);
}

async function blinkByKernel(
  dir: string,
  onMs: number,
  offMs: number,
  set: (attribute: string, value: string) => Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
  const triggers = await readFile(path.join(dir, 'trigger'), 'utf8');
  if (!/\btimer\b/.test(triggers)) return false;
  await set('trigger', 'timer');
  for (let waitedMs = 0; waitedMs < DELAYS_WAIT_MS && !signal.aborted; waitedMs += DELAYS_POLL_MS) {
    try {
      await set('delay_on', String(onMs));
      await set('delay_off', String(offMs));
      return true;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOENT') throw cause;
    }
    await new Promise((resolve) => setTimeout(resolve, DELAYS_POLL_MS));
  }
  return false;
}

function blinkByProcess(
  set: (attribute: string, value: string) => Promise<void>,
  brightest: string,
  onMs: number,
  offMs: number,
): DrivenLed {
  let lit = false;
  let timer: NodeJS.Timeout | undefined;
  const turn = () => {
    lit = !lit;
    // An LED that was pulled out is found missing by the next look at the folder.
    set('brightness', lit ? brightest : '0').catch(() => clearTimeout(timer));
    timer = setTimeout(turn, lit ? onMs : offMs).unref();
  };
  turn();
  return { by: 'process', stop: () => clearTimeout(timer) };
}
