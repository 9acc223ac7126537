// Facts -> plan -> steps, one printed line each; ends by running the task on Node 24 and taking over its exit code.
// Plain JavaScript without packages: there is no node_modules yet.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { handOver } from './hand-over.mjs';
import { planSteps } from './plan-steps.mjs';
import { linkedModules, modulesMatchLock, packagesFor, readHost } from './read-host.mjs';
import { runStep } from './run-step.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const scripts = { start: 'src/workbench/start.ts', test: 'test/run-tests.ts' };

export async function ensureTask(task, args) {
  try {
    process.exitCode = await ensure(task, args);
  } catch (error) {
    console.error(`ensure: ${error.message}`);
    process.exitCode = 1;
  }
}

async function ensure(task, args) {
  if (!(task in scripts)) throw new Error(`the task is ${Object.keys(scripts).join(' or ')}, not ${task}`);
  const host = readHost();
  const plan = planSteps({
    host,
    packages: packagesFor(root, task),
    modulesMatch: modulesMatchLock(root, host),
    modulesLink: linkedModules(root),
  });
  if (!plan.ok) throw new Error(plan.reason);
  for (const step of plan.steps) {
    console.log(`ensure: ${step.say}`);
    runStep(step, root);
  }
  const missing = packagesFor(root, task).filter(({ present }) => !present);
  if (missing.length > 0) {
    const names = missing.map(({ name, proof }) => `${name} (looked for ${proof.join(' or ')})`);
    throw new Error(`the packages are installed, but these are still not there: ${names.join(', ')}`);
  }
  const node = host.libc === 'musl' ? process.execPath : path.join(root, 'node_modules/.bin/node');
  return handOver({ node, script: scripts[task], args, root });
}
