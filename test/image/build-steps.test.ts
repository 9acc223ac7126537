// The builder's own rules: a step runs when something it reads has changed, and only then; one build at a time.
import assert from 'node:assert/strict';
import { appendFile, link, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { debianBase } from '../../image/base/debian.ts';
import type { Build } from '../../image/build.ts';
import { buildRoot } from '../../image/build-root.ts';
import { OwnerList, sizesByPackage } from '../../image/owners-of-files.ts';
import { runSteps, type Step } from '../../image/step.ts';
import { takeLock } from '../../image/take-lock.ts';
import { tempDir } from '../support/temp-dir.ts';

test('a step runs again when its input changed or its output is gone, and so do all after it [Q4]', async (t) => {
  const { build, steps, ran, dir } = await story(t);
  await runSteps(build, steps);
  assert.deepEqual(ran.splice(0), ['10-first', '20-second']);
  await runSteps(build, steps);
  assert.deepEqual(ran.splice(0), []);
  await appendFile(path.join(dir, 'second.in'), 'more');
  await runSteps(build, steps);
  assert.deepEqual(ran.splice(0), ['20-second']);
  await appendFile(path.join(dir, 'first.in'), 'more');
  await runSteps(build, steps);
  assert.deepEqual(ran.splice(0), ['10-first', '20-second']);
  await rm(path.join(dir, 'second.out'));
  await runSteps(build, steps);
  assert.deepEqual(ran.splice(0), ['20-second']);
});

test('a step that failed is not counted as done [Q4]', async (t) => {
  const { build, steps, ran } = await story(t);
  const failing = steps.map((step, index) =>
    index === 1 ? { ...step, run: () => Promise.reject(new Error('no space')) } : step,
  );
  await assert.rejects(runSteps(build, failing), /no space/);
  ran.splice(0);
  await runSteps(build, steps);
  assert.deepEqual(ran, ['20-second']);
});

test('a second build waits for the first and says who holds the lock when it takes too long [Q4]', async () => {
  const name = `test ${process.pid}`;
  const first = await takeLock(name, 0);
  await assert.rejects(takeLock(name, 0), {
    code: 'image.locked',
    message: new RegExp(`process ${process.pid} holds it`),
  });
  await first.release();
  await (await takeLock(name, 0)).release();
});

test('a missing runtime is refused before anything is downloaded, and the message says what to run [Q4]', async (t) => {
  const out = await tempDir(t);
  await assert.rejects(buildRoot({ base: debianBase(), out, runtime: path.join(out, 'autoweave.mjs') }), {
    code: 'image.input-missing',
    message: /autoweave\.mjs is missing; run npm run build/,
  });
});

test('each byte of the root is counted once, for the package that brought it first [I1]', async (t) => {
  const root = await tempDir(t);
  const put = async (name: string, bytes: number) => {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), Buffer.alloc(bytes));
  };
  const list = new OwnerList(root);
  await put('usr/bin/one', 100);
  await link(path.join(root, 'usr/bin/one'), path.join(root, 'usr/bin/same'));
  await symlink('one', path.join(root, 'usr/bin/pointer'));
  await list.add('first');
  await put('usr/bin/one', 90);
  await put('usr/lib/two', 1_000);
  await list.add('second');
  await put('etc/own', 7);
  assert.deepEqual(await sizesByPackage(root, list.owners, (file) => `own ${file}`), [
    { name: 'second', bytes: 1_000 },
    { name: 'first', bytes: 90 },
    { name: 'own etc/own', bytes: 7 },
  ]);
});

async function story(t: TestContext) {
  const dir = await tempDir(t);
  await mkdir(path.join(dir, 'out'));
  const ran: string[] = [];
  const step = (name: string, word: string): Step => ({
    name,
    place: 'out',
    inputs: () => [path.join(dir, `${word}.in`)],
    outputs: () => [path.join(dir, `${word}.out`)],
    async run() {
      ran.push(name);
      await writeFile(path.join(dir, `${word}.out`), word);
    },
  });
  for (const word of ['first', 'second']) await writeFile(path.join(dir, `${word}.in`), word);
  const build: Build = {
    repository: dir,
    base: debianBase(),
    cache: dir,
    out: path.join(dir, 'out'),
    release: path.join(dir, 'out'),
    version: '0.0.0',
    epochSeconds: 0,
    runtime: '',
    node: '',
    addon: undefined,
    layers: [],
    compression: 'fast',
    format: 'disk',
    report: () => undefined,
  };
  return { build, ran, dir, steps: [step('10-first', 'first'), step('20-second', 'second')] };
}
