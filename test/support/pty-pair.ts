// A pair of pseudo terminals, by `script`: what is written to `far` is what a device would send to whoever opens `node`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { until } from './until.ts';

export interface PtyPair {
  /** `/dev/pts/3`: a real terminal. */
  readonly node: string;
  send(text: string): void;
}

export async function openPtyPair(
  t: Pick<TestContext, 'after'>,
  dir: string,
  name: string,
): Promise<PtyPair> {
  const told = path.join(dir, `${name}.node`);
  // Its child keeps the terminal open and reads nothing of it.
  const child = spawn(
    'script',
    ['-qc', 'stty raw -echo; tty >"$TOLD.new"; mv "$TOLD.new" "$TOLD"; exec sleep 600', '/dev/null'],
    { env: { ...process.env, TOLD: told }, stdio: ['pipe', 'ignore', 'ignore'] },
  );
  t.after(async () => {
    const ended = once(child, 'exit');
    // At a gentler signal it waits 2 s for its child, which goes with the terminal.
    child.kill('SIGKILL');
    await ended;
  });
  const node = await until('the terminal is there', () => readFile(told, 'utf8').catch(() => null));
  return { node: node.trim(), send: (text) => void child.stdin.write(text) };
}
