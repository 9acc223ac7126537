// A folder that disappears with the test that asked for it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

export async function tempDir(t: Pick<TestContext, 'after'>): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'autoweave-'));
  // Again where something of the test is just being written.
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 10 }));
  return dir;
}
