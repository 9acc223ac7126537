// `npm run drill -- list | NAME [--n N | --minutes N] [--seed S]`: a file `test/drill/<name>.drill.ts` exports `drill`. Exit 1 when a round failed.
import { globSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundle } from '../../src/workbench/build-bundle.ts';
import type { Drill } from './drill.ts';

const { values, positionals } = parseArgs({
  options: { n: { type: 'string' }, minutes: { type: 'string' }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const names = globSync('*.drill.ts', { cwd: import.meta.dirname })
  .map((file) => path.basename(file, '.drill.ts'))
  .sort();
const load = async (name: string) =>
  ((await import(`./${name}.drill.ts`)) as { readonly drill: Drill }).drill;
const wholeNumber = (option: string, text: string) => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`drill: --${option} takes a whole number, not ${text}`);
  process.exit(2);
};

const [name = 'list'] = positionals;
if (name === 'list') {
  for (const each of names) console.log(`${each.padEnd(20)} ${(await load(each)).about}`);
} else if (names.includes(name)) {
  buildBundle(path.resolve(import.meta.dirname, '../..'), console.error);
  const drill = await load(name);
  const asked = values.n ?? values.minutes;
  const n = asked === undefined ? drill.rounds : wholeNumber('n', asked);
  const failed = await drill.run({ n, seed: wholeNumber('seed', values.seed), say: console.log });
  console.log(`drill ${name}: ${n} rounds, seed ${values.seed}, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} else {
  console.error(`drill: no drill named ${name}; there are: ${names.join(', ')}`);
  process.exitCode = 2;
}
