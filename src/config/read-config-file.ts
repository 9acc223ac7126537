import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AppError } from '../lib/app-error.ts';
import { errorText } from '../lib/error-text.ts';
import type { ConfigCode } from './config-problem.ts';
import { CONFIG_MAX_BYTES } from './parse-config-text.ts';

/**
 * The text of the configuration file; reads at most 1 MiB, whatever the path is.
 * @throws AppError `config.unreadable`, `config.too-large` or `config.not-json` (not UTF-8)
 */
export async function readConfigFile(path: string): Promise<string> {
  const refuse = (code: ConfigCode, why: string, cause?: unknown) =>
    new AppError(code, `cannot read the configuration ${path}: ${why}`, { cause });
  let bytes: Buffer;
  try {
    // A FIFO nobody writes to would otherwise block the start for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) {
      throw refuse('config.unreadable', 'it is not a regular file; name a file with --config');
    }
    bytes = Buffer.alloc(CONFIG_MAX_BYTES + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    bytes = bytes.subarray(0, bytesRead);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw refuse('config.unreadable', `${errorText(cause)}; check the path and who may read it`, cause);
  }
  if (bytes.length > CONFIG_MAX_BYTES) {
    throw refuse(
      'config.too-large',
      `it has more than ${CONFIG_MAX_BYTES} bytes; check that this is the file`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refuse('config.not-json', 'it is not UTF-8 text; save it as UTF-8', cause);
  }
}
