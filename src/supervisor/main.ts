#!/usr/bin/env node
// The entry of the one file that ships: the first argument chooses the role.
import { runCli } from '../cli/run-cli.ts';
import { runDaemon } from './run-daemon.ts';

const [, , role, ...args] = process.argv;
process.exitCode =
  role === 'daemon'
    ? await runDaemon({ args, environment: process.env })
    : await runCli({
        argv: process.argv.slice(2),
        environment: process.env,
        stdout: process.stdout,
        stderr: process.stderr,
      });
// Whatever still holds the event loop (a socket that is being closed, say) does not hold the process.
process.exit();
