// Runs a tool to its end and returns what it printed; a failure names the tool, its last words and the remedy.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { ImageError } from './image-error.ts';
import { toolPath } from './missing-tools.ts';

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The name it is told it was started by. */
  readonly argv0?: string;
  /** Given to its standard input. */
  readonly input?: string;
  /** What a person does when this command fails. */
  readonly remedy: string;
  /** The Debian package that has the tool, for the message when it is missing. */
  readonly from?: string;
}

export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    argv0: options.argv0,
    env: { ...process.env, PATH: toolPath, LC_ALL: 'C', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A tool that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => undefined).end(options.input);
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') return reject(error);
      const install = options.from === undefined ? '' : ` (apt-get install ${options.from})`;
      reject(
        new ImageError('image.tool-missing', `run ${command}: it is not installed; install it${install}`),
      );
    });
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (status === 0) return stdout;
  const said = stderr.trim().split('\n').slice(-4).join(' | ');
  throw new ImageError(
    'image.command-failed',
    `${command} ${args.slice(0, 3).join(' ')} ended with ${status}: ${said}; ${options.remedy}`,
    { exitCode: typeof status === 'number' ? status : 1 },
  );
}
