import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { claimState } from '../../src/workbench/running-file.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Recorded {
  owner: { pid: number; startTicks: string };
  children: { pid: number; startTicks: string }[];
}
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Recorded;

async function sleeper(t: TestContext) {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  assert.ok(child.pid !== undefined);
  return { child, pid: child.pid };
}

test('a second run on the same state folder is refused while the first lives [Q4]', async (t) => {
  const dir = await tempDir(t);
  const first = claimState(dir, () => undefined);
  assert.throws(() => claimState(dir, () => undefined), {
    code: 'workbench.already-running',
    message: new RegExp(`process ${process.pid} runs on it`),
  });
  first.release();
  claimState(dir, () => undefined).release();
  assert.equal(existsSync(path.join(dir, 'running.json')), false);
});

test('what a killed run left behind is ended by the next [Q4]', async (t) => {
  const dir = await tempDir(t);
  const file = path.join(dir, 'running.json');
  const { child, pid } = await sleeper(t);
  claimState(dir, () => undefined).add(pid);
  // As if this process had died and its pid were another program's now.
  const left = read(file);
  writeFileSync(file, JSON.stringify({ ...left, owner: { pid: left.owner.pid, startTicks: '1' } }));
  const said: string[] = [];
  const gone = once(child, 'exit');
  claimState(dir, (line) => said.push(line)).release();
  assert.deepEqual(await gone, [null, 'SIGKILL']);
  assert.deepEqual(said, ['ended 1 processes that an earlier run was killed without']);
});

test('a process that merely has the number of an old child is left alone [Q4]', async (t) => {
  const dir = await tempDir(t);
  const file = path.join(dir, 'running.json');
  const { child, pid } = await sleeper(t);
  writeFileSync(
    file,
    JSON.stringify({ owner: { pid, startTicks: '1' }, children: [{ pid, startTicks: '2' }] }),
  );
  const said: string[] = [];
  claimState(dir, (line) => said.push(line)).release();
  assert.deepEqual(said, []);
  assert.equal(child.exitCode ?? child.signalCode, null);
});

test('a torn record of an earlier run does not stop the next [Q4]', async (t) => {
  const dir = await tempDir(t);
  writeFileSync(path.join(dir, 'running.json'), '{"owner":{"pi');
  claimState(dir, () => undefined).release();
});
