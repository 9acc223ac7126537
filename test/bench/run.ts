// `npm run bench [-- NAME…] [--json FILE]`: runs the benchmarks one after the other and prints a table; ours beside the raw limit.
import { globSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundle } from '../../src/workbench/build-bundle.ts';
import type { Bench, BenchRow } from './bench-row.ts';

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
const files = globSync('*.bench.ts', { cwd: import.meta.dirname }).sort();
const names = files.map((file) => path.basename(file, '.bench.ts'));
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`bench: no benchmark named ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  process.exit(2);
}

buildBundle(path.resolve(import.meta.dirname, '../..'), console.error);

const number = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
const rows: BenchRow[] = [];
for (const name of positionals.length > 0 ? positionals : names) {
  const { bench } = (await import(`./${name}.bench.ts`)) as { readonly bench: Bench };
  for await (const row of bench()) {
    rows.push(row);
    const limit = row.limit === null ? '' : `limit ${number(row.limit)} ${row.unit}`;
    const ratio = row.ratio === null ? '' : `ratio ${row.ratio.toPrecision(2)}`;
    console.log(
      `${row.name.padEnd(58)} ${`${number(row.ours)} ${row.unit}`.padStart(20)}   ${limit.padEnd(28)} ${ratio}`,
    );
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
