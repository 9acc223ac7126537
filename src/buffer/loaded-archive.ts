// Opens the archive, however long that takes: until its names are known nothing is read, because older events would be passed.
import type { EventId } from '../contracts/event.ts';
import { errorText } from '../lib/error-text.ts';
import type { Archive } from './archive/archive.ts';
import { stoppedError } from './buffer-error.ts';
import type { BufferHealth } from './buffer-health.ts';
import { pause } from './pause.ts';
import type { EventPage } from './read-events.ts';

const RETRY_MS = 500;

export interface LoadedArchive {
  /** Resolves when its names are known, or could not be read at the first try: numbering waits no longer. */
  readonly tried: Promise<void>;
  readonly isLoaded: () => boolean;
  /** Waits until the names are known and while the disk refuses. Rejects with `buffer.stopped` only. */
  readonly read: (from: EventId, count: number) => Promise<EventPage | null>;
}

export function loadArchive(
  archive: Archive,
  folder: string,
  { health, signal }: { readonly health: BufferHealth; readonly signal: AbortSignal },
): LoadedArchive {
  const tried = Promise.withResolvers<void>();
  let loaded = false;
  const load = async () => {
    for (; !signal.aborted && !loaded; ) {
      try {
        await archive.load();
        loaded = true;
        health.say('archive', 'ok', 'the archive is readable');
      } catch (thrown) {
        const why = `cannot read the archive ${folder} (${errorText(thrown)}): events are stored but not delivered`;
        health.say('archive', 'down', `${why}. Make it readable for this user`);
        tried.resolve();
        await pause(RETRY_MS, signal);
      }
    }
    tried.resolve();
  };
  const done = load();

  return {
    tried: tried.promise,
    isLoaded: () => loaded,
    async read(from, count) {
      if (!loaded) await done;
      for (let refused = false; ; ) {
        if (signal.aborted) throw stoppedError();
        try {
          const page = await archive.reader.read(from, count);
          if (refused) health.say('reading', 'ok', 'the archive can be read again');
          return page;
        } catch (thrown) {
          refused = true;
          health.say('reading', 'down', `cannot read the archive ${folder}: ${errorText(thrown)}`);
          await pause(RETRY_MS, signal);
        }
      }
    },
  };
}
