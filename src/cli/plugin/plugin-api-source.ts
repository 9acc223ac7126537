import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The one file that a plugin's author needs; the product's own bundle carries it inside (build.ts). */
export function pluginApiSource(): string {
  return readFileSync(path.join(import.meta.dirname, '../../../plugins/api/plugin-api.ts'), 'utf8');
}
