// Keys and values of one plugin: in memory what is confirmed, and on disk a log of what was set, one line a change, made anew when it
// is mostly history and at the first change after it was opened or could not be written. A last line without its end was never
// confirmed: a power cut or a full disk leaves it.
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { errorText } from '../../lib/error-text.ts';
import { PluginError } from '../plugin-error.ts';

const COMPACT_MIN_BYTES = 65_536;

export interface KvStore {
  /** JSON text; null when there is none. Waits for what was set before. */
  get(key: string): Promise<string | null>;
  keys(): Promise<readonly string[]>;
  /**
   * `quota`: keys and values together would be more than the plugin may keep; nothing was changed.
   * @throws the error of the file system; the value is then what it was, and the store can be used on
   */
  set(key: string, json: string | null): Promise<'ok' | 'quota'>;
  close(): Promise<void>;
}

/** @throws PluginError `plugins.kv-unreadable`: what cannot be read is not empty, and is not written over. */
export async function openKvStore(file: string, maxBytes: number): Promise<KvStore> {
  const values = await readValues(file);
  let usedBytes = [...values].reduce((sum, [key, json]) => sum + sizeOf(key, json), 0);
  let handle: FileHandle | undefined;
  let loggedBytes = 0;
  let lane: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  /** Whatever is in the file now: the next change makes it anew. */
  const letGo = async () => {
    const old = handle;
    handle = undefined;
    await old?.close();
  };
  const rewrite = async (key: string, json: string | null) => {
    await letGo();
    const next = new Map<string, string | null>(values).set(key, json);
    const text = [...next].map(([each, value]) => (value === null ? '' : lineOf(each, value))).join('');
    const fresh = await open(`${file}.new`, 'w', 0o640);
    try {
      await fresh.writeFile(text);
      await fresh.sync();
      await rename(`${file}.new`, file);
      await syncFolder(path.dirname(file));
    } catch (cause) {
      await fresh.close();
      await rm(`${file}.new`, { force: true });
      throw cause;
    }
    handle = fresh;
    loggedBytes = Buffer.byteLength(text);
  };
  const append = async (key: string, json: string | null) => {
    if (handle === undefined || loggedBytes > Math.max(COMPACT_MIN_BYTES, 4 * usedBytes))
      return rewrite(key, json);
    const line = lineOf(key, json);
    try {
      await handle.appendFile(line);
      await handle.datasync();
    } catch (cause) {
      // Perhaps a part of the line is there: the next one, appended to it, would be lost with it.
      await letGo();
      throw cause;
    }
    loggedBytes += Buffer.byteLength(line);
  };
  const change = async (key: string, json: string | null): Promise<'ok' | 'quota'> => {
    // The file may be another one's by now: of the plugin's next run.
    if (isClosed) throw new Error('the plugin has ended');
    const before = values.get(key) ?? null;
    if (json === before) return 'ok';
    const grows = sizeOf(key, json) - sizeOf(key, before);
    if (grows > 0 && usedBytes + grows > maxBytes) return 'quota';
    await append(key, json);
    usedBytes += grows;
    if (json === null) values.delete(key);
    else values.set(key, json);
    return 'ok';
  };

  return {
    async get(key) {
      await lane;
      return values.get(key) ?? null;
    },
    async keys() {
      await lane;
      return [...values.keys()];
    },
    set(key, json) {
      // One after the other: the file is what the memory was, in the same order.
      const changed = lane.then(() => change(key, json));
      lane = changed.catch(() => undefined);
      return changed;
    },
    async close() {
      await lane;
      isClosed = true;
      await letGo();
    },
  };
}

async function readValues(file: string): Promise<Map<string, string>> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    return parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new PluginError(
      'plugins.kv-unreadable',
      `read the stored values of the plugin (${file}): ${errorText(cause)}; restart the plugin once that is mended`,
      { cause },
    );
  }
}

function sizeOf(key: string, json: string | null): number {
  return json === null ? 0 : Buffer.byteLength(key) + Buffer.byteLength(json);
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
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
