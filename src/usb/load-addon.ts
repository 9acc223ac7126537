// The native part of the `usb` package, carried inside the bundle: written to a private place that allows exec, loaded, and
// removed again. build.ts puts a call of this in place of the package's own search for its addon.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** @throws the last folder's error when none of the folders allows both writing and exec. */
export function loadAddon(
  read: () => Uint8Array,
  folders: readonly string[] = ['/run/autoweave', tmpdir(), '/dev/shm'],
): unknown {
  const beside = path.join(import.meta.dirname, 'usb.node');
  try {
    // The image unpacks the addon beside the bundle when it is built; nothing is written then.
    return load(beside);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_DLOPEN_FAILED')) throw cause;
  }
  let last: unknown;
  for (const folder of folders) {
    let dir: string | undefined;
    try {
      dir = mkdtempSync(path.join(folder, 'autoweave-usb-'));
      const file = path.join(dir, 'usb.node');
      writeFileSync(file, read(), { mode: 0o500 });
      return load(file);
    } catch (cause) {
      last = cause;
    } finally {
      // Once mapped the file is not needed: nothing is left behind, and nobody can change it later.
      if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
    }
  }
  throw last;
}

function load(file: string): unknown {
  const holder = { exports: {} };
  process.dlopen(holder, file);
  return holder.exports;
}
