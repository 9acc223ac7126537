// The entry of the one file that ships: the first argument chooses the role.
import { runCli } from '../cli/run-cli.ts';
import { runPluginTrial } from './plugin-trial.ts';
import { runDaemon } from './run-daemon.ts';

const [, , role, ...args] = process.argv;
const asksForHelp = args.includes('--help') || args.includes('-h');
if (role === 'daemon' && !asksForHelp) {
  const code = await runDaemon({ args, environment: process.env });
  // Everything is stopped and stored: whatever still holds the event loop does not hold the process.
  process.exit(code);
}
if (role === 'plugin' && ['dev', 'test'].includes(args[0] ?? '') && !asksForHelp)
  process.exit(await runPluginTrial(args));
process.exitCode = await runCli({
  argv: process.argv.slice(2),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
});
