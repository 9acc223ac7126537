// What the start of the machine found -> an event for each note, once for each boot, and a line in the health [I3, I5].
import { open } from 'node:fs/promises';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import { errorText } from '../lib/error-text.ts';
import { type BootNote, isLasting, parseBootNotes } from './parse-boot-notes.ts';
import type { Pipeline, StoredState } from './pipeline.ts';

const MOST_BYTES = 65_536;
/** Of the stored state: boot id and how many of its notes are events already, in the same transaction as these. */
const field = 'system.boot-notes';

export interface BootNotes {
  stop(): void;
}

/** Looks at once and every `periodMs`: a script may have something to say later too. */
export function reportBootNotes(options: {
  readonly file: string;
  readonly bootId: string;
  readonly periodMs: number;
  /** Rejects when the store never answered. */
  readonly stored: Promise<StoredState>;
  readonly say: Pipeline['say'];
  readonly report: ReportHealth;
  readonly log: Log;
}): BootNotes {
  const { bootId, file, log, periodMs, report, say, stored } = options;
  let told: number | null = null;
  let complained = '';
  stored.then(
    (fields) => {
      const [boot, count] = (fields[field] ?? '').split(' ');
      told = boot === bootId ? Number(count) : 0;
      void look();
    },
    (cause: unknown) => log.warn({ why: errorText(cause) }, 'what the start found could not be recorded'),
  );

  const look = async () => {
    const content = await contentOf(file);
    if (!content.ok) {
      report('unknown', content.reason);
      if (content.reason !== complained) log.warn({ file }, content.reason);
      complained = content.reason;
      return;
    }
    const notes = parseBootNotes(content.text);
    sayHealth(notes, report);
    if (told === null) return;
    for (const note of notes.slice(told)) {
      told += 1;
      sayEvent(note, say, { [field]: `${bootId} ${told}` });
    }
  };
  void look();
  const timer = setInterval(() => void look(), periodMs).unref();
  return { stop: () => clearInterval(timer) };
}

function sayHealth(notes: readonly BootNote[], report: ReportHealth): void {
  const lasting = notes.filter(isLasting);
  const shown = lasting.length > 0 ? lasting : notes;
  if (shown.length === 0) report('ok', 'the start of the machine found nothing wrong');
  else
    report(
      lasting.length > 0 ? 'degraded' : 'ok',
      shown.map(({ part, text }) => `${part}: ${text}`).join('; '),
    );
}

function sayEvent(note: BootNote, say: Pipeline['say'], state: Readonly<Record<string, string>>): void {
  const { atUptimeMs, code, part, text } = note;
  if (part === 'config' && code.startsWith('config.'))
    say(
      'system.configuration-refused',
      'system',
      { code, field: note.field, reason: text, atUptimeMs },
      state,
    );
  else say('system.boot-note', 'system', { part, code, text, atUptimeMs }, state);
}

/** '' where there is none: an ordinary host has no such file. */
async function contentOf(
  file: string,
): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }> {
  try {
    await using handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    return { ok: true, text: buffer.toString('utf8', 0, bytesRead) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { ok: true, text: '' };
    return { ok: false, reason: `what the start of the machine found cannot be read: ${errorText(cause)}` };
  }
}
