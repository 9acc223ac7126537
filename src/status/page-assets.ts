// The page's sources -> its three texts, bundled by esbuild. build.ts replaces this module by one that carries the texts.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export type PageAssets = Readonly<Record<'index.html' | 'page.css' | 'page.mjs', string>>;

const folder = path.join(import.meta.dirname, 'page');
const repository = path.resolve(import.meta.dirname, '../..');

/** Of npm; for the bill of materials. */
export const pagePackages = ['preact', 'uqr'] as const;

// The one thing of this module that lasts: tests start many servers, and all get the same page.
let made: PageAssets | null = null;

/** Bundled once a process: it takes a tenth of a second. */
export function pageAssets(): PageAssets {
  made ??= {
    'index.html': readFileSync(path.join(folder, 'index.html'), 'utf8'),
    'page.css': bundle('page.css', []),
    'page.mjs': bundle('main.tsx', ['--format=esm', '--jsx=automatic', '--jsx-import-source=preact']),
  };
  return made;
}

function bundle(entry: string, options: readonly string[]): string {
  const common = [
    '--bundle',
    '--minify',
    '--target=chrome123,firefox121,safari17.5',
    '--charset=utf8',
    '--log-level=warning',
  ];
  const text = execFileSync(
    path.join(repository, 'node_modules/.bin/esbuild'),
    [path.join(folder, entry), ...common, ...options],
    {
      encoding: 'utf8',
      cwd: repository,
    },
  );
  return text.trim();
}
