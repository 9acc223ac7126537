import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { handOver } from '../../src/workbench/hand-over.mjs';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

async function scriptOf(t: TestContext, text: string) {
  const root = await tempDir(t);
  writeFileSync(path.join(root, 'task.mjs'), text);
  return { node: process.execPath, script: 'task.mjs', args: ['one', '--two'], root };
}

test('the task gets its arguments, the checkout as its folder and its tools first in PATH [Q4]', async (t) => {
  const task = await scriptOf(
    t,
    `const [, , ...args] = process.argv;
     const right = args.join() === 'one,--two' && process.env.PATH.startsWith(process.cwd() + '/node_modules/.bin:');
     process.exitCode = right ? 42 : 1;`,
  );
  assert.equal(await handOver(task), 42);
});

test('a task that dies of a signal ends as a shell would say it [Q4]', async (t) => {
  assert.equal(await handOver(await scriptOf(t, `process.kill(process.pid, 'SIGKILL');`)), 137);
});

/** Runs handOver in a process of its own, below a shell when one is wanted. */
async function startOuter(t: TestContext, { shell = false } = {}) {
  const task = await scriptOf(
    t,
    `import { writeFileSync } from 'node:fs';
     process.on('SIGTERM', () => { writeFileSync('told', ''); process.exit(7); });
     setInterval(() => {}, 1000);
     console.log('up');`,
  );
  const module = path.resolve('src/workbench/hand-over.mjs');
  const script = path.join(task.root, 'outer.mjs');
  writeFileSync(
    script,
    `import { handOver } from ${JSON.stringify(module)};
     process.exitCode = await handOver(${JSON.stringify(task)});`,
  );
  const command: readonly [string, ...string[]] = shell
    ? ['sh', '-c', `"${process.execPath}" "${script}"; exit $?`]
    : [process.execPath, script];
  const [file, ...args] = command;
  const outer = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => outer.kill('SIGKILL'));
  await once(outer.stdout, 'data');
  return { outer, told: path.join(task.root, 'told') };
}

test('a signal reaches the task, and its answer counts [Q4]', async (t) => {
  const { outer } = await startOuter(t);
  outer.kill('SIGTERM');
  assert.deepEqual(await once(outer, 'exit'), [7, null]);
});

test('the task is asked to stop when the shell that npm put in between is killed [Q4]', async (t) => {
  const { outer, told } = await startOuter(t, { shell: true });
  outer.kill('SIGTERM');
  assert.deepEqual(await once(outer, 'exit'), [null, 'SIGTERM']);
  await until('the task was told', () => existsSync(told));
});
