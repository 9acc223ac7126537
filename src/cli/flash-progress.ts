// Progress of a flash -> one line that is written over at a terminal, a line every few seconds elsewhere, JSON lines with --json.
import { bytesText } from '../flash/bytes-text.ts';
import type { FlashProgress } from '../flash/write-media.ts';

const phases = { check: 'Checking the image', write: 'Writing', compare: 'Reading back' } as const;

export interface ProgressOptions {
  readonly json: boolean;
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  readonly nowMs: () => number;
}

export interface FlashProgressLines {
  report(progress: FlashProgress): void;
  /** Ends a line that would be written over. */
  end(): void;
}

export function flashProgress({ json, isTerminal, write, nowMs }: ProgressOptions): FlashProgressLines {
  const every = json ? 1_000 : isTerminal ? 200 : 5_000;
  const began = new Map<string, number>();
  const said = new Map<string, number>();
  let open = false;
  return {
    report(progress) {
      const { phase, path, doneBytes, totalBytes } = progress;
      const key = `${phase} ${path}`;
      const now = nowMs();
      const start = began.get(key) ?? now;
      began.set(key, start);
      const isLast = doneBytes === totalBytes;
      if (!isLast && now - (said.get(key) ?? start) < every) return;
      said.set(key, now);
      const seconds = (now - start) / 1000;
      const bytesPerSecond = seconds === 0 ? null : Math.round(doneBytes / seconds);
      const secondsLeft =
        totalBytes === null || bytesPerSecond === null || bytesPerSecond === 0
          ? null
          : Math.ceil((totalBytes - doneBytes) / bytesPerSecond);
      if (json)
        return write(
          `${JSON.stringify({ progress: phase, path, doneBytes, totalBytes, bytesPerSecond, secondsLeft })}\n`,
        );
      const text = [
        `${phases[phase]}${path === null ? '' : ` ${path}`}:`,
        `${bytesText(doneBytes)}${totalBytes === null ? '' : ` of ${bytesText(totalBytes)}`}`,
        ...(bytesPerSecond === null ? [] : [`${(bytesPerSecond / 1e6).toFixed(1)} MB/s`]),
        ...(secondsLeft === null || isLast ? [] : [`${secondsLeft} s left`]),
      ].join('  ');
      write(isTerminal ? `\r\x1b[K${text}${isLast ? '\n' : ''}` : `${text}\n`);
      open = isTerminal && !isLast;
    },
    end() {
      if (open) write('\n');
      open = false;
    },
  };
}
