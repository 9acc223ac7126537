// Executes one planned step in the checkout; throws with what failed and what to type.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { shellLine } from './plan-steps.mjs';
import { searchPath } from './read-host.mjs';

export function runStep(step, root) {
  switch (step.kind) {
    case 'note':
      return;
    case 'remove':
      rmSync(path.join(root, step.path), { force: true });
      return;
    case 'run':
      run([step.command], step, root);
      return;
    case 'run-first':
      run(step.commands, step, root);
      return;
    default:
      throw new Error(`there is no executor for a step of kind ${step.kind}`);
  }
}

function run(commands, { say, mayFail, remedy }, root) {
  const failures = [];
  for (const command of commands) {
    const { status, signal, error } = spawnSync(...resolve(command, root));
    if (status === 0) return;
    failures.push(`${shellLine(command)}: ${error?.message ?? signal ?? `exit code ${status}`}`);
  }
  if (mayFail) {
    console.log(`ensure: going on although that failed (${failures.join('; ')})`);
    return;
  }
  throw new Error(
    `${say} failed (${failures.join('; ')}); ${remedy}: ${commands.map(shellLine).join(' || ')}`,
  );
}

function resolve([command, ...args], root) {
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: searchPath().join(':') } };
  // The very npm that started this, on the Node it runs on: `npm ci` deletes the Node in node_modules under our feet.
  const { npm_execpath: npm, npm_node_execpath: node } = process.env;
  if (command === 'npm' && npm !== undefined) return [node ?? process.execPath, [npm, ...args], options];
  return [command, args, options];
}
