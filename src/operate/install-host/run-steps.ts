// Does what a planner said, step by step, under a root folder; stops at the first step that fails.
import { execFile } from 'node:child_process';
import { mkdir, readFile, realpath, rename, rm, rmdir, symlink, unlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorText } from '../../lib/error-text.ts';
import { OperateError } from '../operate-error.ts';
import { replaceFile, syncFolder } from '../replace-file.ts';
import { type HostStep, stepText } from './host-step.ts';

/** Above the longest start that the units allow, twice. */
const COMMAND_LIMIT_MS = 180_000;

/** @throws OperateError `operate.step-failed` (with the step's text), `operate.outside-root` */
export async function runSteps(
  steps: readonly HostStep[],
  options: { readonly root: string; readonly say: (text: string) => void },
): Promise<void> {
  const root = await realpath(options.root);
  for (const step of steps) {
    try {
      await runStep(step, root);
      options.say(stepText(step));
    } catch (cause) {
      if (step.kind === 'run' && step.mayFail) {
        options.say(`${stepText(step)}: failed, going on (${commandError(cause)})`);
      } else if (cause instanceof OperateError && cause.code === 'operate.outside-root') throw cause;
      else {
        throw new OperateError(
          'operate.step-failed',
          `cannot ${stepText(step)}: ${commandError(cause)}; put that right and run the same command again`,
          { cause },
        );
      }
    }
  }
}

async function runStep(step: HostStep, root: string): Promise<void> {
  if (step.kind === 'run') {
    const [command, ...args] = step.command;
    await promisify(execFile)(command, args, { timeout: COMMAND_LIMIT_MS });
    return;
  }
  const at = path.join(root, step.path);
  if (step.kind === 'remove' || step.kind === 'remove-folder') {
    if (await isMissing(path.dirname(at))) return;
    await insideRoot(at, root);
    await remove(step, at);
    return;
  }
  await insideRoot(at, root);
  switch (step.kind) {
    case 'folder':
      await mkdir(at, { mode: 0o755 });
      return;
    case 'file':
      await replaceFile(at, step.content, {
        mode: step.mode,
        ...(step.group === undefined || root !== '/'
          ? {}
          : { owner: { uid: 0, gid: await groupId(step.group) } }),
      });
      return;
    case 'link': {
      const beside = `${at}.new`;
      await rm(beside, { force: true });
      await symlink(step.target, beside);
      await rename(beside, at);
      await syncFolder(path.dirname(at));
      return;
    }
  }
}

async function remove(step: HostStep & { kind: 'remove' | 'remove-folder' }, at: string): Promise<void> {
  try {
    if (step.kind === 'remove') await unlink(at);
    else if (step.evenIfFull) await rm(at, { recursive: true, force: true });
    else await rmdir(at);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    // Gone already, or others have put something there: both are what was wanted.
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY' && code !== 'EEXIST') throw cause;
  }
}

/** A link in the other system's tree may lead out of it, and into this one. */
async function insideRoot(at: string, root: string): Promise<void> {
  const folder = await realpath(path.dirname(at));
  if (root === '/' || folder === root || folder.startsWith(`${root}/`)) return;
  throw new OperateError(
    'operate.outside-root',
    `cannot change ${at}: it leads to ${folder}, outside ${root}; make that link relative`,
  );
}

async function isMissing(folder: string): Promise<boolean> {
  try {
    await realpath(folder);
    return false;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return true;
    throw cause;
  }
}

async function groupId(name: string): Promise<number> {
  const line = (await readFile('/etc/group', 'utf8')).split('\n').find((one) => one.startsWith(`${name}:`));
  const id = Number(line?.split(':')[2]);
  if (!Number.isInteger(id)) throw new Error(`there is no group ${name}`);
  return id;
}

function commandError(cause: unknown): string {
  const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
  return said === '' ? errorText(cause) : said.slice(-1_000);
}
