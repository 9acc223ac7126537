// The CLI in this process: what it printed, complained and answered.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from '../../src/cli/run-cli.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const run = (...argv: readonly string[]): Promise<Ran> => runIn({}, ...argv);

export async function runIn(
  environment: Readonly<Record<string, string>>,
  ...argv: readonly string[]
): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([text(stdout), text(stderr)]);
  const code = await runCli({ argv, environment, stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await said;
  return { code, out, err };
}
