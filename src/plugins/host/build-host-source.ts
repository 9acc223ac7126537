// The sources of a plugin's process -> two small files, made by esbuild. For build.ts, and for running from a checkout.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** File name -> text; put into one folder. ASCII alone: V8 keeps two bytes a character otherwise. */
export type HostSource = Readonly<Record<'host.cjs' | 'worker.cjs', string>>;

const folder = import.meta.dirname;
const repository = path.resolve(folder, '../../..');

export function buildHostSource(): HostSource {
  return {
    'host.cjs': bundle(path.join(folder, 'host-main.ts')),
    'worker.cjs': bundle(path.join(folder, '../worker/worker-main.ts')),
  };
}

function bundle(entry: string): string {
  const options = [
    '--bundle',
    '--platform=node',
    '--target=node24',
    '--format=cjs',
    '--charset=ascii',
    '--minify',
  ];
  return execFileSync(
    path.join(repository, 'node_modules/.bin/esbuild'),
    [entry, ...options, '--log-level=warning'],
    {
      encoding: 'utf8',
      cwd: repository,
    },
  );
}
