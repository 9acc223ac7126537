// Who did what, from where, and whether it worked: JSON lines, each with the hash of the one before; bounded by rotation.
import { createHash } from 'node:crypto';
import { appendFile, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { AuditEntry } from '../../contracts/api-access.ts';
import type { Clock } from '../../contracts/clock.ts';
import type { Log } from '../../contracts/log.ts';
import { errorText } from '../../lib/error-text.ts';

const FILE = 'audit.jsonl';
const MAX_BYTES = 524_288;
const KEPT_FILES = 8;
const MAX_DETAIL = 500;

export type AuditFacts = Omit<AuditEntry, 'n' | 'at' | 'clock' | 'previous' | 'hash'>;

export interface AuditLog {
  /** Resolves once it is on disk. A disk that takes nothing is logged; it does not stop what was asked for. */
  add(facts: AuditFacts): Promise<void>;
  /** Newest first. `before`: the `n` of an entry. */
  read(options: {
    readonly before: number | null;
    readonly limit: number;
  }): Promise<{ readonly entries: readonly AuditEntry[]; readonly next: number | null }>;
}

const START_HASH = '0'.repeat(64);

export async function openAuditLog(options: {
  readonly dir: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly maxBytes?: number;
}): Promise<AuditLog> {
  const { clock, dir, log, maxBytes = MAX_BYTES } = options;
  const file = path.join(dir, FILE);
  const older = (index: number) => path.join(dir, `audit.${index}.jsonl`);
  const files = [file, ...Array.from({ length: KEPT_FILES }, (_, index) => older(index + 1))];
  let tail: Pick<AuditEntry, 'n' | 'hash'> = { n: 0, hash: START_HASH };
  let isSettled = false;
  /** Where the chain goes on: behind what is on disk, which may be a part of an entry, or one that was not known to be there. */
  const settle = async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const candidate of files) {
      const last = (await entriesOf(candidate)).at(-1);
      if (last === undefined) continue;
      // Entries that were taken out meanwhile are to show.
      if (last.n > tail.n) tail = last;
      break;
    }
    await endTornLine(file);
    isSettled = true;
  };
  await settle().catch((cause: unknown) =>
    log.error({ dir, why: errorText(cause) }, 'the audit cannot be read'),
  );

  const rotate = async () => {
    if ((await sizeOf(file)) < maxBytes) return;
    for (let index = KEPT_FILES - 1; index >= 1; index--) {
      if ((await sizeOf(older(index))) > 0) await rename(older(index), older(index + 1));
    }
    await rename(file, older(1));
  };
  const write = async (facts: AuditFacts) => {
    if (!isSettled) await settle();
    const { synced, wallMs } = clock.now();
    const unhashed = {
      n: tail.n + 1,
      at: new Date(wallMs).toISOString(),
      clock: synced ? ('synced' as const) : ('unsynced' as const),
      ...facts,
      detail: facts.detail.slice(0, MAX_DETAIL),
      previous: tail.hash,
    };
    const entry: AuditEntry = { ...unhashed, hash: auditHash(unhashed) };
    await rotate();
    isSettled = false;
    await using handle = await open(file, 'a', 0o600);
    await handle.appendFile(`${JSON.stringify(entry)}\n`);
    await handle.sync();
    tail = entry;
    isSettled = true;
  };
  let last: Promise<void> = Promise.resolve();
  return {
    add(facts) {
      last = last
        .then(() => write(facts))
        .catch((cause: unknown) =>
          log.error({ ...facts, why: errorText(cause) }, 'the audit could not be written; this is its entry'),
        );
      return last;
    },
    async read({ before, limit }) {
      const found: AuditEntry[] = [];
      for (const candidate of files) {
        const entries = (await entriesOf(candidate)).filter(({ n }) => before === null || n < before);
        found.push(...entries.reverse());
        if (found.length > limit) break;
      }
      const entries = found.slice(0, limit);
      return { entries, next: found.length > limit ? (entries.at(-1)?.n ?? null) : null };
    },
  };
}

/** Over everything of an entry but the hash itself. */
export function auditHash(entry: Omit<AuditEntry, 'hash'>): string {
  return createHash('sha256').update(JSON.stringify(entry)).digest('hex');
}

async function entriesOf(file: string): Promise<AuditEntry[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw cause;
  });
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as AuditEntry];
    } catch (cause) {
      // A power cut or a full disk tore the line; the chain goes on from the one before.
      if (cause instanceof SyntaxError) return [];
      throw cause;
    }
  });
}

async function endTornLine(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text !== '' && !text.endsWith('\n')) await appendFile(file, '\n');
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
