// A measuring process as an ordinary user: the sandbox of the plugins is not for root.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

export async function runAsUser<Result>(script: string, args: readonly string[]): Promise<Result> {
  const file = path.join(import.meta.dirname, script);
  const words = [process.execPath, file, ...args];
  const lowered = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...words];
  const [program = '', ...rest] = process.getuid?.() === 0 ? lowered : words;
  const { stdout } = await promisify(execFile)(program, rest, {
    env: { PATH: process.env.PATH, TMPDIR: '/tmp' },
    maxBuffer: 1 << 24,
    // Elsewhere another user may not look.
    cwd: '/',
  });
  return JSON.parse(stdout) as Result;
}
