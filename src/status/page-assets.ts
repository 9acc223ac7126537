// The page's sources as text. build.ts replaces this module by one that carries the text.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const names = ['index.html', 'page.css', 'page.mjs'] as const;

/** file name in page/ -> its text */
export function pageAssets(): Readonly<Record<string, string>> {
  const read = (name: string) => readFileSync(path.join(import.meta.dirname, 'page', name), 'utf8');
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}
