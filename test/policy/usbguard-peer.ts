// Debian's USBGuard beside ours. Its rule parser stops at the first bad line of a file, so bad lines go to it one by one.
import { spawnSync } from 'node:child_process';

/** null, or why tests that need the program are skipped. */
export function missing(program: string): string | null {
  const { error } = spawnSync(program, ['--help'], { stdio: 'ignore' });
  return error === undefined ? null : `${program} is not installed (${error.message})`;
}

/** What it prints for the rule; null when it refuses. */
export function peerPrints(line: string): string | null {
  // Arguments are given as UTF-8; lines of the corpus are valid UTF-8.
  const rule = Buffer.from(line, 'latin1').toString('utf8');
  const { status, stdout } = spawnSync('usbguard-rule-parser', ['--', rule], { encoding: 'latin1' });
  if (status !== 0) return null;
  const output = stdout.split('\n').find((each) => each.startsWith('OUTPUT: '));
  return output?.slice('OUTPUT: '.length) ?? null;
}

/** One run for many good rules. */
export function peerPrintsFile(file: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync('usbguard-rule-parser', ['-f', file], {
    encoding: 'latin1',
    maxBuffer: 64 * 1_048_576,
  });
  if (status !== 0) throw new Error(`usbguard-rule-parser refuses ${file}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('OUTPUT: '))
    .map((line) => line.slice('OUTPUT: '.length));
}
