// Executes write plans: one read of the image feeds all media at once; each succeeds or fails by itself.
import { createHash, hash } from 'node:crypto';
import { alignedChunks, type Chunk } from './aligned-chunks.ts';
import { alignedBuffers } from './aligned-memory.ts';
import { chunkBytes } from './disk.ts';
import { applyPatches } from './fit-gpt.ts';
import { FlashError, type FlashProblem } from './flash-error.ts';
import type { ImageSource } from './image-source.ts';
import type { MeasuredImage } from './measure-image.ts';
import type { Medium } from './medium.ts';
import type { WritePlan, WriteStep } from './plan-writing.ts';
import { type Extent, readBack } from './read-back.ts';

export type FlashResult =
  | { readonly path: string; readonly ok: true; readonly comparedBytes: number; readonly seconds: number }
  | { readonly path: string; readonly ok: false; readonly problem: FlashProblem };

export interface FlashProgress {
  readonly phase: 'check' | 'write' | 'compare';
  /** null: all disks together. */
  readonly path: string | null;
  readonly doneBytes: number;
  /** null: not known beforehand. */
  readonly totalBytes: number | null;
}

export interface WriteJob {
  readonly plan: WritePlan;
  readonly medium: Medium;
}

interface Run extends WriteJob {
  readonly buffer: Buffer;
  /** What must be read back. */
  readonly written: Extent[];
  problem: FlashProblem | null;
  comparedBytes: number;
}

export async function writeMedia(
  jobs: readonly WriteJob[],
  from: { readonly source: ImageSource; readonly image: MeasuredImage },
  report: (progress: FlashProgress) => void,
): Promise<readonly FlashResult[]> {
  const began = performance.now();
  const [first, second, ...own] = alignedBuffers(jobs.length + 2, chunkBytes);
  if (first === undefined || second === undefined) throw new Error('alignedBuffers: too few');
  const runs: readonly Run[] = jobs.map((job, index) => {
    const buffer = own[index];
    if (buffer === undefined) throw new Error('alignedBuffers: too few');
    return { ...job, buffer, written: [], problem: null, comparedBytes: 0 };
  });
  const step = (run: Run, each: WriteStep) => attempt(run, () => doStep(run, each, from, report));
  const inTurn = async (run: Run, steps: readonly WriteStep[]) => {
    for (const each of steps) await step(run, each);
  };
  const copyAt = ({ plan }: Run) => plan.steps.findIndex((each) => each.do === 'copy');
  await Promise.all(runs.map((run) => inTurn(run, run.plan.steps.slice(0, copyAt(run)))));
  await copyToAll(runs, { ...from, buffers: [first, second] }, report);
  await Promise.all(runs.map((run) => inTurn(run, run.plan.steps.slice(copyAt(run) + 1))));
  const seconds = (performance.now() - began) / 1000;
  return runs.map(({ medium: { path }, problem, comparedBytes }) =>
    problem === null ? { path, ok: true, comparedBytes, seconds } : { path, ok: false, problem },
  );
}

async function doStep(
  run: Run,
  step: WriteStep,
  from: { readonly source: ImageSource; readonly image: MeasuredImage },
  report: (progress: FlashProgress) => void,
): Promise<void> {
  const { medium, buffer, plan } = run;
  switch (step.do) {
    case 'clear':
      buffer.fill(0, 0, step.lengthBytes);
      return medium.write(buffer.subarray(0, step.lengthBytes), step.position);
    case 'write':
      step.bytes.copy(buffer);
      run.written.push({
        position: step.position,
        lengthBytes: step.bytes.length,
        sha256: digest(step.bytes),
      });
      return medium.write(buffer.subarray(0, step.bytes.length), step.position);
    case 'flush':
      return medium.flush();
    case 'compare':
      run.comparedBytes = await readBack(
        run.written,
        { medium, buffer, plan, source: from.source },
        (doneBytes, totalBytes) => report({ phase: 'compare', path: medium.path, doneBytes, totalBytes }),
      );
      return;
    case 'copy':
      throw new Error('copy is done for all media together');
  }
}

/** The image is hashed again on its way: a file that changed since the first pass, or memory that lies, is found here. */
async function copyToAll(
  runs: readonly Run[],
  {
    source,
    image,
    buffers,
  }: { readonly source: ImageSource; readonly image: MeasuredImage; readonly buffers: readonly Buffer[] },
  report: (progress: FlashProgress) => void,
): Promise<void> {
  const blockBytes = Math.max(4096, ...runs.map(({ medium }) => medium.blockBytes));
  const whole = createHash('sha256');
  let copied = 0;
  try {
    const chunks = alignedChunks(source.bytes(), { buffers, blockBytes });
    let next = await chunks.next();
    while (next.done !== true && runs.some(({ problem }) => problem === null)) {
      const chunk = next.value;
      const [following] = await Promise.all([
        chunks.next(),
        ...runs.map((run) => attempt(run, () => writeChunk(run, chunk))),
      ]);
      const length = Math.min(chunk.bytes.length, image.sizeBytes - chunk.position);
      whole.update(chunk.bytes.subarray(0, Math.max(0, length)));
      copied = Math.max(copied, chunk.position + chunk.bytes.length);
      report({
        phase: 'write',
        path: null,
        doneBytes: Math.min(copied, image.sizeBytes),
        totalBytes: image.sizeBytes,
      });
      next = following;
    }
    await chunks.return();
    if (
      copied >= image.sizeBytes &&
      copied - image.sizeBytes < blockBytes &&
      whole.digest('hex') === image.sha256
    )
      return;
    for (const run of runs) run.problem ??= changed(source);
  } catch (error) {
    if (!(error instanceof FlashError)) throw error;
    for (const run of runs) run.problem ??= error.problem;
  }
}

async function writeChunk(
  { plan, medium, buffer, written }: Run,
  { index, position, bytes }: Chunk,
): Promise<void> {
  // The first chunk comes last of all.
  if (index === 0 || position >= plan.imageBytes) return;
  let mine = bytes.subarray(0, Math.min(bytes.length, plan.imageBytes - position));
  const touched = plan.patches.some(
    (patch) => patch.position < position + mine.length && patch.position + patch.bytes.length > position,
  );
  if (touched) {
    mine.copy(buffer);
    mine = buffer.subarray(0, mine.length);
    applyPatches(mine, position, plan.patches);
  }
  written.push({ position, lengthBytes: mine.length, sha256: digest(mine) });
  await medium.write(mine, position);
}

async function attempt(run: Run, action: () => Promise<void>): Promise<void> {
  if (run.problem !== null) return;
  try {
    await action();
  } catch (error) {
    if (!(error instanceof FlashError)) throw error;
    run.problem = error.problem;
  }
}

function digest(bytes: Buffer): string {
  return hash('sha256', bytes);
}

function changed({ path }: ImageSource): FlashProblem {
  return {
    code: 'flash.image-changed',
    message: `read ${path}: it is not the same as in the first pass`,
    remedy: 'Let nothing write to it meanwhile, and start again; the disk does not boot as it is.',
  };
}
