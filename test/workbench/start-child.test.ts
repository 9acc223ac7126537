import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { startChild } from '../../src/workbench/start-child.ts';
import { until } from '../support/until.ts';

function start(t: TestContext, script: string, stopWithinMs = 5_000) {
  const lines: string[] = [];
  const child = startChild({
    name: 'sh',
    command: ['sh', '-c', script],
    cwd: '/',
    environment: { PATH: process.env.PATH },
    onLine: (line) => lines.push(line),
    stopWithinMs,
  });
  t.after(() => child.stop());
  return { child, lines };
}

test('a child that ends by itself says how, with its last lines from both outputs [Q4]', async (t) => {
  const { child } = start(t, 'for i in $(seq 20); do echo line $i; done; echo why >&2; exit 3');
  assert.equal(await child.ended, 'exit code 3');
  assert.equal(child.lastLines.length, 15);
  assert.ok(child.lastLines.includes('line 20') && child.lastLines.includes('why'));
});

test('a program that is not there is an end like any other [Q4]', async () => {
  const child = startChild({
    name: 'none',
    command: ['/nowhere/none'],
    cwd: '/',
    environment: {},
    stopWithinMs: 100,
  });
  assert.match(await child.ended, /could not be started: .*ENOENT/);
  await child.stop();
});

test('a stop asks first, and the child may finish in its own way [Q2]', async (t) => {
  const { child, lines } = start(t, 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done');
  await until('the shell has its trap', () => lines.includes('up'));
  await child.stop();
  assert.equal(await child.ended, 'exit code 0');
  assert.ok(lines.includes('bye'));
});

test('a child that does not listen is killed with everything it started [Q2]', async (t) => {
  const { child, lines } = start(t, 'trap "" TERM; sleep 600 & echo pid $!; wait; sleep 600', 100);
  const pid = Number(
    (await until('the sleeper runs', () => lines.find((line) => line.startsWith('pid ')))).slice(4),
  );
  await child.stop();
  assert.equal(await child.ended, 'SIGKILL');
  await until('the sleeper is gone', () => !isAlive(pid));
});

/** A zombie waits for somebody to read its exit code; it runs no more. */
function isAlive(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) [ZX] /.test(readFileSync(file, 'utf8'));
}
