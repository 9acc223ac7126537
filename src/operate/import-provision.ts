// What a provisioning file said -> the state folder, and the file without its secrets. The order makes a power cut at any moment
// harmless: until the last step the file still has everything, and importing it again gives the same.
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../lib/error-text.ts';
import { OperateError } from './operate-error.ts';
import { replaceFile } from './replace-file.ts';

export const provisionedNames = { config: 'autoweave.json', secrets: 'secrets.json' } as const;

/** @returns what was written: nothing is written that is there already. @throws OperateError `operate.write-failed` */
export async function importProvision(options: {
  readonly dir: string;
  readonly configText: string;
  readonly secretsText: string;
  /** null: it had no secrets, and stays as it is. */
  readonly cleaned: { readonly file: string; readonly text: string } | null;
}): Promise<readonly string[]> {
  const { dir, configText, secretsText, cleaned } = options;
  const owner = await ownerOf(dir);
  const written: string[] = [];
  const write = async (name: string, content: string, mode: number) => {
    const file = path.join(dir, name);
    if ((await textOrNull(file)) === content) return;
    await replaceFile(file, content, { mode, ...owner });
    written.push(file);
  };
  await write(provisionedNames.secrets, secretsText, 0o600);
  await write(provisionedNames.config, configText, 0o640);
  if (cleaned !== null) {
    await replaceAndWipe(cleaned.file, cleaned.text);
    written.push(cleaned.file);
  }
  return written;
}

/** The runtime reads what root imports at boot: the files belong to whoever the folder belongs to. */
export async function ownerOf(
  dir: string,
): Promise<{ readonly owner?: { readonly uid: number; readonly gid: number } }> {
  if (process.getuid?.() !== 0) return {};
  const { uid, gid } = await stat(dir);
  return { owner: { uid, gid } };
}

/** @throws OperateError `operate.unreadable` */
export async function textOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw new OperateError(
      'operate.unreadable',
      `cannot read ${file}: ${errorText(cause)}; check what is there and who may read it`,
      { cause },
    );
  }
}

/** The old blocks are overwritten once; what a flash controller keeps of them is out of reach. */
async function replaceAndWipe(file: string, text: string): Promise<void> {
  try {
    await using old = await open(file, 'r+');
    const { size, mode } = await old.stat();
    await replaceFile(file, text, { mode: mode & 0o777 });
    await old.write(Buffer.alloc(size), 0, size, 0);
    await old.sync();
  } catch (cause) {
    throw new OperateError(
      'operate.write-failed',
      `the settings are in force, but the secrets are still in ${file}: ${errorText(cause)}; remove them by hand`,
      { cause },
    );
  }
}
