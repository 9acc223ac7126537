// What rootfs/usr/lib/autoweave/boot-note wrote -> notes. The file is the machine's own, its texts may be anybody's.

export interface BootNote {
  readonly atUptimeMs: number;
  readonly part: string;
  readonly code: string;
  readonly text: string;
  /** Of the configuration, where the note is about one. */
  readonly field: string | null;
}

/** Lines of another form are left out: a note that is being written has no end yet. */
export function parseBootNotes(content: string): readonly BootNote[] {
  return content
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [seconds = '', part = '', code = '', text, field = ''] = line.split('\t');
      if (!/^\d{1,12}(\.\d+)?$/.test(seconds) || text === undefined) return [];
      const atUptimeMs = Math.round(Number(seconds) * 1_000);
      return [{ atUptimeMs, part, code, text, field: field === '' ? null : field }];
    });
}

/** Something that happened and is over; any other note says how it still is. */
const over: readonly string[] = ['data repaired', 'data remade', 'data forgotten', 'watchdog reset'];

export function isLasting({ part, code }: BootNote): boolean {
  return !over.includes(`${part} ${code}`);
}
