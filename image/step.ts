// One step of the build and its stamp: a step runs again only when something it reads has changed, or its output is gone.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Build } from './build.ts';

export interface Step {
  /** Number and name: the story in the order it is told. */
  readonly name: string;
  /** `cache` survives a change of the runtime and is shared by all images of one base; `out` belongs to one image. */
  readonly place: 'cache' | 'out';
  /** Files and globs (relative to the repository, or absolute) whose content the result depends on, the step's own source included. */
  inputs(build: Build): readonly string[];
  outputs(build: Build): readonly string[];
  run(build: Build): Promise<void>;
}

/** Runs the steps in order. A step's key covers the keys before it, so a change early in the story repeats all that follows. */
export async function runSteps(build: Build, steps: readonly Step[]): Promise<void> {
  let key = '';
  for (const [index, step] of steps.entries()) {
    const told = `[${index + 1}/${steps.length}] ${step.name}:`;
    key = await keyOf(step, build, key);
    const stamp = path.join(step.place === 'cache' ? build.cache : build.out, `.${step.name}.done`);
    if (step.outputs(build).every(existsSync) && (await contentOf(stamp)) === key) {
      build.report(`${told} unchanged`);
      continue;
    }
    const started = performance.now();
    await mkdir(path.dirname(stamp), { recursive: true });
    await rm(stamp, { force: true });
    const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
    try {
      await step.run(build);
    } catch (error) {
      build.report(`${told} failed after ${seconds()}; the steps before it are kept`);
      throw error;
    }
    await writeFile(stamp, key);
    build.report(`${told} done in ${seconds()}`);
  }
}

async function keyOf(step: Step, build: Build, before: string): Promise<string> {
  const hash = createHash('sha256').update(
    [before, step.name, build.base.name, build.base.architecture, build.base.identity, ''].join('\n'),
  );
  if (step.place === 'out') hash.update(`${build.compression} ${build.epochSeconds}\n`);
  for (const pattern of step.inputs(build)) {
    const found: string[] = [];
    for await (const entry of glob(pattern, { cwd: build.repository, withFileTypes: true }))
      if (entry.isFile()) found.push(path.join(entry.parentPath, entry.name));
    hash.update(`${pattern}\n`);
    for (const file of found.sort()) {
      hash.update(`${path.relative(build.repository, file)}\n`);
      hash.update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

async function contentOf(file: string): Promise<string | undefined> {
  return existsSync(file) ? readFile(file, 'utf8') : undefined;
}
