// Builds, claims the state folder, brings everything up, waits for a reason to stop, and leaves nothing behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bringUp } from './bring-up.ts';
import { buildBundle } from './build-bundle.ts';
import { assembleCrew } from './crew.ts';
import { claimState } from './running-file.ts';
import type { StartOptions } from './start-options.ts';

export interface ApplianceRun {
  readonly options: StartOptions;
  readonly root: string;
  readonly say: (line: string) => void;
  /** Resolves with the reason when it is time to stop. */
  readonly asked: Promise<string>;
}

/** Returns the exit code: 0 stopped as asked, 1 a child ended by itself. @throws WorkbenchError */
export async function runAppliance({ options, root, say, asked }: ApplianceRun): Promise<number> {
  const bundle = buildBundle(root, say);
  const { stateDir } = options;
  const running = claimState(stateDir, say);
  // Not in the state folder: the path of a socket has at most 107 bytes, and a checkout may lie deep.
  const runDir = mkdtempSync(path.join(tmpdir(), 'autoweave-start-'));
  const crew = assembleCrew({ cwd: root, environment: process.env, running, say });
  try {
    const ending = Promise.race([asked, crew.died]);
    const up = bringUp(crew, options, { root, stateDir, runDir, bundle });
    const why = await Promise.race([
      ending,
      up.then(() => Promise.race([ending, timeIsUp(options.seconds)])),
    ]);
    if (typeof why === 'string') {
      say(`${why}: stopping`);
      return 0;
    }
    const said =
      why.lastLines.length === 0 ? 'it printed nothing' : `it said last:\n${why.lastLines.join('\n')}`;
    console.error(`start: ${why.name} ended by itself (${await why.ended}); ${said}`);
    return 1;
  } finally {
    await crew.stopAll();
    rmSync(runDir, { recursive: true, force: true });
    running.release();
  }
}

/** Counted from the moment everything runs. */
function timeIsUp(seconds: number | null): Promise<string> {
  if (seconds === null) return new Promise(() => undefined);
  return delay(seconds * 1_000, `${seconds} seconds are over`, { ref: false });
}
