// The mark file: which generation is in use, how far it was stored and may have been published, kept outside Redis so that
// a store that was lost or rolled back is noticed. Written in place, one slot after the other, through one descriptor.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { EventId } from '../contracts/event.ts';
import { errorText } from '../lib/error-text.ts';
import { bufferError, stoppedError } from './buffer-error.ts';
import type { BufferHealth } from './buffer-health.ts';
import { type Mark, parseMarkFile, SLOT_BYTES, toSlot } from './mark-slots.ts';
import { pause } from './pause.ts';
import type { KnownMark } from './plan-generation.ts';

const RETRY_MS = 500;
/** So many tries in a row with such an error, and the file is no longer waited for: it rotted, or is none. */
const ROTTEN_TRIES = 5;
const rotten: readonly string[] = ['EIO', 'EISDIR', 'EBADMSG'];
/** How many events may be acknowledged before the file says so unasked. */
const NOTE_EVERY = 1_000;

export interface BufferMarkOptions {
  readonly file: string;
  readonly health: BufferHealth;
  readonly signal: AbortSignal;
  /** Last id that Redis is known to have; START before the first contact. */
  readonly acknowledged: () => EventId;
}

/**
 * INVARIANTS
 * - A generation stands in the file, fsynced, before its first id is used; a published number before it is published.
 * - `published` and `stored` never exceed what Redis has acknowledged: a store that has less was lost.
 * - Trouble with the file is waited out and reported; methods reject with `buffer.stopped` only. One that surely cannot be read is moved
 *   aside and counts as damaged: ids of a new generation are never lower.
 */
export class BufferMark {
  readonly #options: BufferMarkOptions;
  #handle: FileHandle | undefined;
  #mark: Mark | null = null;
  #previous: Mark | null = null;
  #exists = false;
  #isUnreadable = false;
  /** The generation of which this run has noted something. */
  #noted = 0;
  #noting = false;
  #lock: Promise<unknown> = Promise.resolve();
  #raising: Promise<void> | undefined;

  constructor(options: BufferMarkOptions) {
    this.#options = options;
  }

  /** Reads the file. Called once, before everything else. */
  async load(): Promise<void> {
    const { file } = this.#options;
    let tries = 0;
    await this.#untilDone('read', async () => {
      let bytes: Buffer;
      try {
        bytes = await readDurable(file);
      } catch (thrown) {
        const { code = '' } = thrown as NodeJS.ErrnoException;
        if (code === 'ENOENT') return;
        tries = rotten.includes(code) ? tries + 1 : 0;
        if (tries < ROTTEN_TRIES) throw thrown;
        await this.#putAside();
        return;
      }
      this.#exists = true;
      ({ mark: this.#mark, previous: this.#previous } = parseMarkFile(bytes));
    });
  }

  async #putAside(): Promise<void> {
    const { file } = this.#options;
    const aside = `${file}.unreadable`;
    // Of an earlier time; a folder there is emptied by nobody else.
    await rm(aside, { recursive: true, force: true });
    await rename(file, aside);
    await syncFolder(path.dirname(file));
    this.#isUnreadable = true;
  }

  get known(): KnownMark {
    if (this.#mark === null) return { kind: this.#exists || this.#isUnreadable ? 'damaged' : 'absent' };
    return { kind: 'valid', ...this.#mark, previous: this.#previous };
  }

  /** Resolves once the generation is in the file, with nothing of it stored or published. */
  async begin(generation: number): Promise<void> {
    await this.#locked(async () => {
      const mark = this.#mark;
      if (mark?.generation === generation && mark.published === 0 && mark.stored === 0) return;
      await this.#write({ seq: (mark?.seq ?? 0) + 1, generation, published: 0, stored: 0 });
    });
  }

  /** Resolves once the file says that `id` may have been published; it says so of all that is acknowledged by then. */
  async raise(id: EventId): Promise<void> {
    while (this.#isBeyond(id)) {
      this.#raising ??= this.#locked(async () => {
        const mark = this.#mark;
        if (mark === null || !this.#isBeyond(id)) return;
        const stored = this.#reached(mark);
        const published = Math.max(stored, id.number);
        await this.#write({ seq: mark.seq + 1, generation: mark.generation, published, stored });
      }).finally(() => {
        this.#raising = undefined;
      });
      await this.#raising;
    }
  }

  /** After an acknowledged append: the first of a run and then every NOTE_EVERY events are noted. Nobody waits for it. */
  appended(): void {
    const mark = this.#mark;
    if (this.#noting || mark === null) return;
    if (this.#noted === mark.generation && this.#reached(mark) < mark.stored + NOTE_EVERY) return;
    this.#noted = mark.generation;
    this.#noting = true;
    this.noteStored().then(
      () => {
        this.#noting = false;
        // A slow disk may have let a thousand more by, and no further append need come to notice it.
        this.appended();
      },
      // Trouble is health; the rejection can only be the stop.
      () => {
        this.#noting = false;
      },
    );
  }

  /** Resolves once the file says how far the generation is stored. */
  async noteStored(): Promise<void> {
    await this.#locked(async () => {
      const mark = this.#mark;
      if (mark === null || this.#reached(mark) <= mark.stored) return;
      await this.#write({ ...mark, seq: mark.seq + 1, stored: this.#reached(mark) });
    });
  }

  async close(): Promise<void> {
    await this.#locked(async () => {
      await this.#handle?.close();
      this.#handle = undefined;
    });
  }

  /** Ids of earlier generations are not: this one stands in the file already. */
  #isBeyond(id: EventId): boolean {
    const mark = this.#mark;
    return mark !== null && id.generation === mark.generation && id.number > mark.published;
  }

  /** Highest acknowledged number of the mark's generation. */
  #reached({ generation, stored }: Mark): number {
    const acknowledged = this.#options.acknowledged();
    return acknowledged.generation === generation ? Math.max(stored, acknowledged.number) : stored;
  }

  async #write(mark: Mark): Promise<void> {
    await this.#untilDone('write', async () => {
      if (this.#exists) {
        this.#handle ??= await open(this.#options.file, constants.O_RDWR);
        await this.#handle.write(toSlot(mark), 0, SLOT_BYTES, (mark.seq % 2) * SLOT_BYTES);
        await this.#handle.datasync();
      } else {
        this.#handle = await this.#create(mark);
        this.#exists = true;
      }
    });
    [this.#previous, this.#mark] = [this.#mark, mark];
  }

  /** Under another name first: a file that exists has held a valid slot. */
  async #create(mark: Mark): Promise<FileHandle> {
    const folder = path.dirname(this.#options.file);
    await mkdir(folder, { recursive: true });
    const fresh = `${this.#options.file}.new`;
    const handle = await open(fresh, 'w+', 0o600);
    try {
      await handle.write(Buffer.alloc(2 * SLOT_BYTES, ' '), 0);
      await handle.write(toSlot(mark), 0, SLOT_BYTES, (mark.seq % 2) * SLOT_BYTES);
      await handle.sync();
      await rename(fresh, this.#options.file);
      await syncFolder(folder);
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
    return handle;
  }

  async #untilDone(verb: 'read' | 'write', act: () => Promise<void>): Promise<void> {
    const { file, health, signal } = this.#options;
    for (;;) {
      if (signal.aborted) throw stoppedError();
      try {
        await act();
        health.say('mark', 'ok', `the mark file ${file} is kept`);
        return;
      } catch (thrown) {
        const why = `cannot ${verb} the mark file ${file}: events are stored or kept in memory but not published. Make it accessible to this user or free space`;
        health.say('mark', 'down', errorText(bufferError('buffer.mark-unusable', why, thrown)));
      }
      await pause(RETRY_MS, signal);
    }
  }

  #locked<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#lock.then(act, act);
    this.#lock = done.catch(() => undefined);
    return done;
  }
}

/** A process that ended between write and sync may have left what only the memory has: what is read here is on the disk. */
async function readDurable(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const bytes = await handle.readFile();
    await handle.sync();
    await syncFolder(path.dirname(file));
    return bytes;
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}
