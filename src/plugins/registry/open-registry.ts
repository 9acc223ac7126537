// The plugins that are installed, on the data partition: `<dir>/<name>/plugin.json` and the bundles as they were signed; beside them
// what security counter each must have. Every change is one rename, on disk before it counts; a power cut leaves the old or the new,
// and at most an unused bundle.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../../lib/error-text.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import { PluginError } from '../plugin-error.ts';
import { folderOf, PluginRecord, type StoredVersion } from './plugin-record.ts';
import { openSecurityFloors } from './security-floors.ts';
import { syncFolder, writeFileDurably } from './write-file-durably.ts';

const RECORD = 'plugin.json';
const BUNDLE = 'bundle.awp';
const SIGNATURE = 'bundle.awp.minisig';
const FLOORS = 'security-floors.json';
const checkRecord = schemaCheck(PluginRecord);

export interface StoredBundle {
  readonly bytes: Uint8Array;
  readonly signatureText: string;
}

export interface Registry {
  /** Records that can be read, by name; the names of damaged ones besides. A folder that is not there yet has none. */
  list(): Promise<{ readonly records: readonly PluginRecord[]; readonly damaged: readonly string[] }>;
  /**
   * Writes the bundle, then the record.
   * @throws PluginError `plugins.downgrade`: a higher security counter was installed here, whatever became of that plugin
   */
  store(record: PluginRecord, bundle: StoredBundle): Promise<void>;
  /** Of a plugin that is stored: writes the record alone, and drops bundles that it does not name. */
  update(record: PluginRecord): Promise<void>;
  read(name: string, version: StoredVersion): Promise<StoredBundle>;
  /** All but its security counter. */
  remove(name: string): Promise<void>;
  /** For what else belongs to the plugin and goes with it. */
  folder(name: string): string;
}

/** What goes wrong is a PluginError: `plugins.registry-damaged` from what reads, that or `plugins.registry-unwritable` from what writes. */
export function openRegistry(dir: string): Registry {
  const floors = openSecurityFloors(path.join(dir, FLOORS));
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
      for (const entry of await entriesOf(dir)) {
        if (!entry.isDirectory()) continue;
        const record = await readRecord(folder(entry.name), entry.name);
        if (record === 'damaged') damaged.push(entry.name);
        else if (record !== null) records.push(record);
      }
      return { records: records.sort((a, b) => (a.name < b.name ? -1 : 1)), damaged };
    },
    store: (record, { bytes, signatureText }) =>
      writing(`store ${record.name} ${record.current.version}`, async () => {
        const { securityCounter } = record.current;
        const floor = await floors.of(record.name);
        if (securityCounter < floor)
          throw new PluginError(
            'plugins.downgrade',
            `${record.name}: its security counter is ${securityCounter}, and ${floor} was installed here once: what it lacks must never run again; install a version with ${floor} or more`,
          );
        const target = versionDir(record.name, record.current);
        await mkdir(target, { recursive: true, mode: 0o750 });
        await writeFileDurably(path.join(target, BUNDLE), bytes);
        await writeFileDurably(path.join(target, SIGNATURE), signatureText);
        for (let at = target; at !== dir; at = path.dirname(at)) await syncFolder(path.dirname(at));
        await floors.raise(record.name, record.highestSecurityCounter);
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
        // Written when it was stored; here for records that are older than the file.
        const record = await readRecord(folder(name), name);
        if (record !== null && record !== 'damaged') await floors.raise(name, record.highestSecurityCounter);
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
    if (cause instanceof PluginError) throw cause;
    throw new PluginError(
      'plugins.registry-unwritable',
      `${what}: ${errorText(cause)}; the data partition must be writable and have room`,
      { cause },
    );
  }
}

async function entriesOf(dir: string) {
  try {
    return await readdir(dir, { withFileTypes: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new PluginError(
      'plugins.registry-damaged',
      `read which plugins are installed (${dir}): ${errorText(cause)}; check the data partition, then restart`,
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
