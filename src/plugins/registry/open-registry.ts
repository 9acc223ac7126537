// The plugins that are installed, on the data partition: `<dir>/<name>/plugin.json` and the bundles as they were signed. Every change
// is one rename, on disk before it counts; a power cut leaves the old or the new, and at most an unused bundle.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../../lib/error-text.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import { PluginError } from '../plugin-error.ts';
import { folderOf, PluginRecord, type StoredVersion } from './plugin-record.ts';

const RECORD = 'plugin.json';
const BUNDLE = 'bundle.awp';
const SIGNATURE = 'bundle.awp.minisig';
const checkRecord = schemaCheck(PluginRecord);

export interface StoredBundle {
  readonly bytes: Uint8Array;
  readonly signatureText: string;
}

export interface Registry {
  /** Records that can be read, by name; the names of damaged ones besides. */
  list(): Promise<{ readonly records: readonly PluginRecord[]; readonly damaged: readonly string[] }>;
  /** Writes the bundle, then the record. */
  store(record: PluginRecord, bundle: StoredBundle): Promise<void>;
  /** Writes the record alone, and drops bundles that it does not name. */
  update(record: PluginRecord): Promise<void>;
  read(name: string, version: StoredVersion): Promise<StoredBundle>;
  remove(name: string): Promise<void>;
  /** For what else belongs to the plugin and goes with it. */
  folder(name: string): string;
}

/** Every function throws PluginError `plugins.registry-unwritable` or `plugins.registry-damaged`. */
export function openRegistry(dir: string): Registry {
  const folder = (name: string) => path.join(dir, name);
  const versionDir = (name: string, version: StoredVersion) =>
    path.join(folder(name), 'versions', folderOf(version));

  const writeRecord = (record: PluginRecord) =>
    writeFileDurably(path.join(folder(record.name), RECORD), `${JSON.stringify(record, null, 2)}\n`);

  return {
    folder,
    async list() {
      const records: PluginRecord[] = [];
      const damaged: string[] = [];
      for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
        if (!entry.isDirectory()) continue;
        const record = await readRecord(folder(entry.name), entry.name);
        if (record === 'damaged') damaged.push(entry.name);
        else if (record !== null) records.push(record);
      }
      return { records: records.sort((a, b) => (a.name < b.name ? -1 : 1)), damaged };
    },
    store: (record, { bytes, signatureText }) =>
      writing(`store ${record.name} ${record.current.version}`, async () => {
        const target = versionDir(record.name, record.current);
        await mkdir(target, { recursive: true, mode: 0o750 });
        await writeFileDurably(path.join(target, BUNDLE), bytes);
        await writeFileDurably(path.join(target, SIGNATURE), signatureText);
        for (let at = target; at !== dir; at = path.dirname(at)) await syncFolder(path.dirname(at));
        await writeRecord(record);
        await dropUnused(path.join(folder(record.name), 'versions'), record);
      }),
    update: (record) =>
      writing(`change the record of ${record.name}`, async () => {
        await writeRecord(record);
        await dropUnused(path.join(folder(record.name), 'versions'), record);
      }),
    async read(name, version) {
      const from = versionDir(name, version);
      try {
        return {
          bytes: await readFile(path.join(from, BUNDLE)),
          signatureText: await readFile(path.join(from, SIGNATURE), 'utf8'),
        };
      } catch (cause) {
        throw new PluginError(
          'plugins.registry-damaged',
          `read ${name} ${version.version}: ${errorText(cause)}; install it again`,
          { cause },
        );
      }
    },
    remove: (name) =>
      writing(`remove ${name}`, async () => {
        // Without its record it is not there, whatever of it is left by a power cut.
        await rm(path.join(folder(name), RECORD), { force: true });
        await syncFolder(folder(name));
        await rm(folder(name), { recursive: true, force: true });
      }),
  };
}

async function writing(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new PluginError(
      'plugins.registry-unwritable',
      `${what}: ${errorText(cause)}; the data partition must be writable and have room`,
      { cause },
    );
  }
}

/** null: an install that a power cut ended before it counted. */
async function readRecord(folder: string, name: string): Promise<PluginRecord | 'damaged' | null> {
  let text: string;
  try {
    text = await readFile(path.join(folder, RECORD), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    return 'damaged';
  }
  const verdict = checkRecord(parseJson(text));
  return verdict.ok && verdict.value.name === name ? verdict.value : 'damaged';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Judged by the schema, which allows no null.
    return null;
  }
}

async function dropUnused(versions: string, { current, previous }: PluginRecord): Promise<void> {
  const used = [current, ...(previous === null ? [] : [previous])].map(folderOf);
  for (const entry of await readdir(versions))
    if (!used.includes(entry)) await rm(path.join(versions, entry), { recursive: true, force: true });
}

async function writeFileDurably(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o640);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  await syncFolder(path.dirname(file));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
