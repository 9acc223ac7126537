// dist/autoweave.mjs is made anew when a source is younger than it.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import path from 'node:path';
import { WorkbenchError } from './workbench-error.ts';

/** @throws WorkbenchError `workbench.build-failed` */
export function buildBundle(root: string, say: (line: string) => void): string {
  const bundle = path.join(root, 'dist/autoweave.mjs');
  if (isUpToDate(root, bundle)) {
    say('dist/autoweave.mjs is up to date');
    return bundle;
  }
  say('building dist/autoweave.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['build.ts'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new WorkbenchError(
      'workbench.build-failed',
      `building dist/autoweave.mjs failed:\n${stdout}${stderr}\nto try again, type: npm run build`,
    );
  }
  say(`built: ${stdout.trim().split('\n').at(-1)?.trim()}`);
  return bundle;
}

function isUpToDate(root: string, bundle: string): boolean {
  if (!existsSync(bundle)) return false;
  const built = statSync(bundle).mtimeMs;
  const sources = ['build.ts', 'package.json', 'package-lock.json', ...globSync('src/**/*', { cwd: root })];
  // The workbench is no part of what ships.
  return sources
    .filter((file) => !file.startsWith('src/workbench'))
    .every((file) => statSync(path.join(root, file)).mtimeMs <= built);
}
