// Asks the system, now and then, whether its wall clock is synchronized [U9]. The kernel's STA_UNSYNC flag is the truth that
// every time daemon keeps; which program can read it differs from system to system, so several are tried in turn.
import { execFile } from 'node:child_process';

export interface ClockSync {
  isSynced(): boolean;
  /** Hears the last answer at once, if there is one, and then every one; `null` when no program could tell. */
  onAnswer(listener: (synced: Answer, witness: string | null) => void): void;
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

/** Asks at once, then every `periodMs`. No answer counts as not synchronized. */
export function watchClockSync(options: {
  readonly periodMs: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): ClockSync {
  let last: { readonly answer: Answer; readonly witness: string | null } | null = null;
  let listener: Parameters<ClockSync['onAnswer']>[0] = () => undefined;
  const stopped = new AbortController();

  const ask = async (): Promise<void> => {
    let [answer, witness]: [Answer, string | null] = [null, null];
    for (const { command, answer: read } of witnesses) {
      answer = read(await output(command, options.environment, stopped.signal));
      if (answer !== null) {
        witness = command[0];
        break;
      }
    }
    if (stopped.signal.aborted) return;
    last = { answer, witness };
    listener(answer, witness);
  };

  void ask();
  const timer = setInterval(() => void ask(), options.periodMs);
  return {
    isSynced: () => last?.answer ?? false,
    onAnswer(heard) {
      listener = heard;
      if (last !== null) heard(last.answer, last.witness);
    },
    stop() {
      clearInterval(timer);
      stopped.abort();
    },
  };
}

/** Standard output, or '' when the program is missing, fails or takes longer than 2 s: another witness is asked then. */
function output(
  [file, ...args]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve) => {
    execFile(file, args, { signal, timeout: 2_000, env: { ...environment, LC_ALL: 'C' } }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
}
