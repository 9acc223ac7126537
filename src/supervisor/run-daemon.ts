// `autoweave daemon`: configuration -> running appliance -> orderly stop on a signal. Returns the exit code:
// 0 stopped as asked, 2 the configuration was refused. A programming error ends with 1 and is restarted from outside.
import { loadavg } from 'node:os';
import { errorText } from '../lib/error-text.ts';
import { createLog } from '../telemetry/create-log.ts';
import { readDaemonConfig } from './read-daemon-config.ts';
import { openServiceManager } from './service-manager.ts';
import { startAppliance } from './start-appliance.ts';

export async function runDaemon(options: {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<number> {
  let verdict: Awaited<ReturnType<typeof readDaemonConfig>>;
  try {
    verdict = await readDaemonConfig(options.args, options.environment);
  } catch (cause) {
    process.stderr.write(`autoweave: ${errorText(cause)}\n`);
    return 2;
  }
  if (!verdict.ok) {
    for (const { code, path, message, remedy } of verdict.problems) {
      process.stderr.write(`autoweave: ${code} ${path}: ${message}. ${remedy}\n`);
    }
    return 2;
  }

  const log = createLog({ level: verdict.config.log.level });
  if (verdict.warning !== null) log.warn({ part: 'config' }, verdict.warning);
  const last = (origin: string) => (cause: unknown) => {
    log.error(
      { err: cause, origin, load: loadavg() },
      'stopping: a programming error was not handled where it happened',
    );
    process.exit(1);
  };
  process.on('uncaughtException', last('exception'));
  process.on('unhandledRejection', last('rejection'));

  const asked = signalled();
  const appliance = await startAppliance({
    config: verdict.config,
    log,
    insecurePlugins: verdict.insecurePlugins,
    environment: withoutSettings(options.environment),
  });
  const service = openServiceManager({ environment: options.environment, log });
  void service.ready();
  const signal = await asked;
  log.info({ signal }, 'stopping as asked');
  void service.stopping();
  await appliance.stop(signal);
  return 0;
}

/** The first of SIGTERM and SIGINT; a second one ends the process at once. */
function signalled(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let count = 0;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      count += 1;
      if (count > 1) process.exit(1);
      resolve(signal);
    });
  }
  return promise;
}

/** What other programs may see of the environment: none of the settings, some of which are secrets. */
function withoutSettings(environment: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('AUTOWEAVE_')));
}
