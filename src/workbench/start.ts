// `npm start`: the product from this checkout, with a Redis and a broker of its own. Runs on Node 24, started by ensure.mjs;
// everything it starts ends with it, daemon first.
import path from 'node:path';
import { AppError } from '../lib/app-error.ts';
import { errorText } from '../lib/error-text.ts';
import { runAppliance } from './run-appliance.ts';
import { parseStartOptions, startHelp } from './start-options.ts';

const root = path.resolve(import.meta.dirname, '../..');
const say = (line: string) => console.log(`start: ${line}`);

process.exitCode = await main();

/** 0 stopped as asked, 1 something failed, 2 the arguments were refused. */
async function main(): Promise<number> {
  try {
    const options = parseStartOptions(process.argv.slice(2), root);
    if (options.help) {
      console.log(startHelp);
      return 0;
    }
    return await runAppliance({ options, root, say, asked: askedToStop() });
  } catch (thrown) {
    console.error(`start: ${errorText(thrown)}`);
    if (!(thrown instanceof AppError)) throw thrown;
    return thrown.code === 'workbench.bad-option' ? 2 : 1;
  }
}

/**
 * Resolves with the reason. Further signals are for the impatient in vain: a terminal's Ctrl-C arrives twice (from the
 * terminal and from npm), so a second one says nothing, and every child has its own time limit.
 */
function askedToStop(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => resolve(`${signal} received`));
  }
  return promise;
}
