// The mark file: which generation is in use and how far it may have been published, kept outside Redis so that a store
// that was lost or rolled back is noticed. Written in place, one slot after the other, through one descriptor.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { EventId } from '../contracts/event.ts';
import { errorText } from '../lib/error-text.ts';
import { bufferError, stoppedError } from './buffer-error.ts';
import type { BufferHealth } from './buffer-health.ts';
import { type Mark, parseMarkFile, SLOT_BYTES, toSlot } from './mark-slots.ts';
import { pause } from './pause.ts';
import type { KnownMark } from './plan-generation.ts';

const RETRY_MS = 500;

/**
 * INVARIANTS
 * - A generation stands in the file, fsynced, before its first id is used; a published number before it is published.
 * - `published` never exceeds what Redis has acknowledged: a store that has less was lost.
 * - Trouble with the file is waited out and reported; methods reject with `buffer.stopped` only.
 */
export class BufferMark {
  readonly #file: string;
  readonly #health: BufferHealth;
  readonly #signal: AbortSignal;
  #handle: FileHandle | undefined;
  #mark: Mark | null = null;
  #previous: Mark | null = null;
  #exists = false;
  #lock: Promise<unknown> = Promise.resolve();
  #raising: Promise<void> | undefined;

  constructor(file: string, health: BufferHealth, signal: AbortSignal) {
    this.#file = file;
    this.#health = health;
    this.#signal = signal;
  }

  /** Reads the file. Called once, before everything else. */
  async load(): Promise<void> {
    await this.#untilDone('read', async () => {
      let bytes: Buffer;
      try {
        bytes = await readFile(this.#file);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
        throw thrown;
      }
      this.#exists = true;
      ({ mark: this.#mark, previous: this.#previous } = parseMarkFile(bytes));
    });
  }

  get known(): KnownMark {
    if (this.#mark === null) return { kind: this.#exists ? 'damaged' : 'absent' };
    const { generation, published } = this.#mark;
    return { kind: 'valid', generation, published, previous: this.#previous };
  }

  /** Resolves once the generation is in the file, with nothing of it published. */
  async begin(generation: number): Promise<void> {
    await this.#locked(async () => {
      if (this.#mark?.generation === generation && this.#mark.published === 0) return;
      const seq = (this.#mark?.seq ?? 0) + 1;
      await this.#write({ seq, generation, published: 0 });
    });
  }

  /** Resolves once the file says that `id` may have been published; `acknowledged` tells how far it may say so at once. */
  async raise(id: EventId, acknowledged: () => EventId): Promise<void> {
    while (this.#isBeyond(id)) {
      this.#raising ??= this.#locked(async () => {
        const mark = this.#mark;
        if (mark === null || !this.#isBeyond(id)) return;
        const stored = acknowledged();
        const number = stored.generation === mark.generation ? Math.max(stored.number, id.number) : id.number;
        await this.#write({ seq: mark.seq + 1, generation: mark.generation, published: number });
      }).finally(() => {
        this.#raising = undefined;
      });
      await this.#raising;
    }
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

  async #write(mark: Mark): Promise<void> {
    await this.#untilDone('write', async () => {
      if (this.#exists) {
        this.#handle ??= await open(this.#file, constants.O_RDWR);
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
    const folder = path.dirname(this.#file);
    await mkdir(folder, { recursive: true });
    const fresh = `${this.#file}.new`;
    const handle = await open(fresh, 'w+', 0o600);
    try {
      await handle.write(Buffer.alloc(2 * SLOT_BYTES, ' '), 0);
      await handle.write(toSlot(mark), 0, SLOT_BYTES, (mark.seq % 2) * SLOT_BYTES);
      await handle.sync();
      await rename(fresh, this.#file);
      const directory = await open(folder, 'r');
      await directory.sync().finally(() => directory.close());
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
    return handle;
  }

  async #untilDone(verb: 'read' | 'write', act: () => Promise<void>): Promise<void> {
    for (;;) {
      if (this.#signal.aborted) throw stoppedError();
      try {
        await act();
        this.#health.say('mark', 'ok', `the mark file ${this.#file} is kept`);
        return;
      } catch (thrown) {
        const why = `cannot ${verb} the mark file ${this.#file}: events are stored or kept in memory but not published. Make it accessible to this user or free space`;
        this.#health.say('mark', 'down', errorText(bufferError('buffer.mark-unusable', why, thrown)));
      }
      await pause(RETRY_MS, this.#signal);
    }
  }

  #locked<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#lock.then(act, act);
    this.#lock = done.catch(() => undefined);
    return done;
  }
}
