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
  // npm passes SIGTERM to the shell between us, which dies of it without a word: then nobody is left to wait for the task.
  const parent = process.ppid;
  const orphaned = setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, 1000);
  const [code, signal] = await once(child, 'exit');
  clearInterval(orphaned);
  return code ?? 128 + constants.signals[signal];
}
