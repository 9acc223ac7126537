// Runs the task's TypeScript on Node 24, hands signals on, and returns its exit code.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import path from 'node:path';
import { searchPath } from './read-host.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export async function handOver({ node, script, args, root }) {
  const bin = path.join(root, 'node_modules/.bin');
  const child = spawn(node, [script, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: [bin, ...searchPath()].join(':') },
  });
  // Ctrl-C on a terminal reaches the child by itself as well; it counts two within a moment as one.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  const [code, signal] = await once(child, 'exit');
  return code ?? 128 + constants.signals[signal];
}
