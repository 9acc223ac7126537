// Asks the system, now and then, whether its wall clock is synchronized [U9]. The kernel's STA_UNSYNC flag is the truth that
// every time daemon keeps; which program can read it differs from system to system, so several are tried in turn.
import { execFile } from 'node:child_process';

export interface ClockSync {
  isSynced(): boolean;
  stop(): void;
}

/** null: this program is not here or cannot tell. */
type Answer = boolean | null;

const witnesses: readonly {
  readonly command: readonly [string, ...string[]];
  readonly answer: (stdout: string) => Answer;
}[] = [
  {
    command: ['busybox', 'adjtimex'],
    answer: (text) => (/status:/.test(text) ? !/UNSYNC/.test(text) : null),
  },
  {
    command: ['timedatectl', 'show', '-p', 'NTPSynchronized', '--value'],
    answer: (text) => ({ yes: true, no: false })[text.trim()] ?? null,
  },
  {
    command: ['chronyc', '-n', 'tracking'],
    answer: (text) => (/Leap status/.test(text) ? !/Not synchronised/.test(text) : null),
  },
];

/**
 * Asks at once, then every `periodMs`. `onAnswer` hears every answer, with the program it came from; `null` when no program
 * could tell, which counts as not synchronized.
 */
export function watchClockSync(options: {
  readonly periodMs: number;
  readonly onAnswer: (synced: Answer, witness: string | null) => void;
}): ClockSync {
  let synced = false;
  const stopped = new AbortController();

  const ask = async (): Promise<void> => {
    let [answer, witness]: [Answer, string | null] = [null, null];
    for (const { command, answer: read } of witnesses) {
      answer = read(await output(command, stopped.signal));
      if (answer !== null) {
        witness = command[0];
        break;
      }
    }
    if (stopped.signal.aborted) return;
    synced = answer ?? false;
    options.onAnswer(answer, witness);
  };

  void ask();
  const timer = setInterval(() => void ask(), options.periodMs);
  return {
    isSynced: () => synced,
    stop() {
      clearInterval(timer);
      stopped.abort();
    },
  };
}

/** Standard output, or '' when the program is missing, fails or takes longer than 2 s: another witness is asked then. */
function output([file, ...args]: readonly [string, ...string[]], signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, args, { signal, timeout: 2_000, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
}
