// Keys and values of one plugin: in memory, and on disk as a log of what was set, one line a change, made anew when it is mostly
// history. A torn last line is what a power cut leaves: it was never confirmed.
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';

const COMPACT_MIN_BYTES = 65_536;

export interface KvStore {
  /** JSON text; null when there is none. */
  get(key: string): string | null;
  keys(): readonly string[];
  /** `quota`: keys and values together would be more than the plugin may keep; nothing was changed. */
  set(key: string, json: string | null): Promise<'ok' | 'quota'>;
  close(): Promise<void>;
}

/** @throws the error of the file system. */
export async function openKvStore(file: string, maxBytes: number): Promise<KvStore> {
  await mkdir(path.dirname(file), { recursive: true });
  const values = parse(await readFile(file, 'utf8').catch(() => ''));
  let usedBytes = [...values].reduce((sum, [key, json]) => sum + sizeOf(key, json), 0);
  let handle: FileHandle | undefined;
  let loggedBytes = 0;
  let lane: Promise<unknown> = Promise.resolve();

  const rewrite = async () => {
    await handle?.close();
    const text = [...values].map(([key, json]) => lineOf(key, json)).join('');
    const fresh = await open(`${file}.new`, 'w', 0o640);
    await fresh.writeFile(text);
    await fresh.sync();
    await rename(`${file}.new`, file);
    await syncFolder(path.dirname(file));
    handle = fresh;
    loggedBytes = Buffer.byteLength(text);
  };
  const append = async (line: string) => {
    if (handle === undefined || loggedBytes > Math.max(COMPACT_MIN_BYTES, 4 * usedBytes)) return rewrite();
    await handle.appendFile(line);
    await handle.datasync();
    loggedBytes += Buffer.byteLength(line);
  };

  return {
    get: (key) => values.get(key) ?? null,
    keys: () => [...values.keys()],
    async set(key, json) {
      const before = values.get(key);
      const change =
        (json === null ? 0 : sizeOf(key, json)) - (before === undefined ? 0 : sizeOf(key, before));
      if (change > 0 && usedBytes + change > maxBytes) return 'quota';
      usedBytes += change;
      if (json === null) values.delete(key);
      else values.set(key, json);
      // One after the other: the file is what the memory was, in the same order.
      const written = lane.then(() => append(lineOf(key, json)));
      lane = written.catch(() => undefined);
      await written;
      return 'ok';
    },
    async close() {
      await lane;
      await handle?.close();
      handle = undefined;
    },
  };
}

function sizeOf(key: string, json: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(json);
}

function lineOf(key: string, json: string | null): string {
  const entry = JSON.stringify([key, json]);
  return `${crc32(entry).toString(16)} ${entry}\n`;
}

function parse(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const space = line.indexOf(' ');
    const entry = line.slice(space + 1);
    if (crc32(entry).toString(16) !== line.slice(0, space)) continue;
    const [key, json] = JSON.parse(entry) as readonly [string, string | null];
    if (json === null) values.delete(key);
    else values.set(key, json);
  }
  return values;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync();
  await handle.close();
}
