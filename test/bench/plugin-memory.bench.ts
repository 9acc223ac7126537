// Private memory of idle plugin processes (host and worker), alone and sixteen at once. Limit: the aim of 22 MB each.
import { type BenchRow, benchRow } from './bench-row.ts';
import type { PluginStartFigures } from './plugin-start-process.ts';
import { runAsUser } from './run-as-user.ts';

const AIM_MB = 22;
const MB = 1_000_000;

export async function* bench(): AsyncIterable<BenchRow> {
  for (const count of [1, 16]) {
    const { privateBytes, proportionalBytes } = await runAsUser<PluginStartFigures>(
      'plugin-start-process.ts',
      ['0', String(count)],
    );
    if (privateBytes.length !== count)
      throw new Error(`${privateBytes.length} of ${count} processes were found`);
    const mean = (values: readonly number[]) =>
      values.reduce((sum, each) => sum + each, 0) / values.length / MB;
    yield benchRow(`private memory of an idle plugin, ${count} at once`, mean(privateBytes), AIM_MB, 'MB');
    yield benchRow(`proportional set size of each, ${count} at once`, mean(proportionalBytes), null, 'MB');
  }
}
