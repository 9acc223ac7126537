// The whole of it as one sentence: measure the image, plan every disk, open all, write, read back, say what became of each.
import type { SystemRoots } from './disk.ts';
import { FlashError, type FlashProblem } from './flash-error.ts';
import type { ImageSource } from './image-source.ts';
import { measureImage } from './measure-image.ts';
import type { Medium } from './medium.ts';
import { openMedium } from './open-medium.ts';
import { type CopyOptions, planWriting, type WritePlan } from './plan-writing.ts';
import type { FoundDisk } from './read-disks.ts';
import { type FlashProgress, type FlashResult, writeMedia } from './write-media.ts';

export interface FlashOptions {
  readonly source: ImageSource;
  readonly disks: readonly FoundDisk[];
  readonly roots: SystemRoots;
  readonly report: (progress: FlashProgress) => void;
  /** Of a disk that is the source. */
  readonly copyOf?: CopyOptions;
  readonly open?: (disk: FoundDisk, roots: SystemRoots) => Promise<Medium>;
}

export type FlashOutcome =
  /** Nothing was written anywhere. */
  | { readonly ok: false; readonly problem: FlashProblem }
  | {
      readonly ok: true;
      readonly imageBytes: number;
      readonly sha256: string;
      readonly results: readonly FlashResult[];
    };

export async function flashDisks(options: FlashOptions): Promise<FlashOutcome> {
  try {
    return await flash(options);
  } catch (error) {
    if (error instanceof FlashError) return { ok: false, problem: error.problem };
    throw error;
  }
}

async function flash({
  source,
  disks,
  roots,
  report,
  copyOf,
  open = openMedium,
}: FlashOptions): Promise<FlashOutcome> {
  const image = await measureImage(source, (doneBytes, totalBytes) =>
    report({ phase: 'check', path: null, doneBytes, totalBytes }),
  );
  const plans: WritePlan[] = [];
  for (const disk of disks) {
    const plan = planWriting(image, disk, copyOf);
    if (!plan.ok) return plan;
    plans.push(plan.value);
  }
  const opened = await Promise.all(
    plans.map(async (plan) => ({ plan, medium: await opening(plan, roots, open) })),
  );
  const jobs = opened.flatMap(({ plan, medium }) => (medium instanceof FlashError ? [] : [{ plan, medium }]));
  try {
    const written = jobs.length === 0 ? [] : await writeMedia(jobs, { source, image }, report);
    const results = opened.map(({ plan, medium }): FlashResult => {
      const { path } = plan.disk;
      if (medium instanceof FlashError) return { path, ok: false, problem: medium.problem };
      const result = written.find((each) => each.path === path);
      if (result === undefined) throw new Error(`no result for ${path}`);
      return result;
    });
    return { ok: true, imageBytes: image.sizeBytes, sha256: image.sha256, results };
  } finally {
    // A pulled stick may fail here as well; its result is known already.
    await Promise.allSettled(jobs.map(({ medium }) => medium.close()));
  }
}

async function opening(
  { disk }: WritePlan,
  roots: SystemRoots,
  open: (disk: FoundDisk, roots: SystemRoots) => Promise<Medium>,
): Promise<Medium | FlashError> {
  try {
    return await open(disk, roots);
  } catch (error) {
    if (error instanceof FlashError) return error;
    throw error;
  }
}
