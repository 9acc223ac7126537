// Which Node the services may run: recent enough, and at a place that only root can change and that stays.
import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { errorText } from '../../lib/error-text.ts';

const MIN_MAJOR = 24;

/** `path` is as the host calls it: a link that the distribution moves on stays right. */
export type NodeCandidate =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly path: string; readonly why: string };

export async function inspectNode(candidate: string): Promise<NodeCandidate> {
  const refuse = (why: string): NodeCandidate => ({ ok: false, path: candidate, why });
  try {
    const real = await realpath(candidate);
    const why = placeProblem(real) ?? (await ownerProblem(real));
    if (why !== null) return refuse(why);
    const { stdout } = await promisify(execFile)(candidate, ['--version'], { timeout: 10_000 });
    const [, major] = /^v(\d+)\./.exec(stdout) ?? [];
    return Number(major) >= MIN_MAJOR
      ? { ok: true, path: candidate }
      : refuse(`it is ${stdout.trim().slice(0, 40)}, and ${MIN_MAJOR} is needed`);
  } catch (cause) {
    return refuse(
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
        ? 'it is not there'
        : errorText(cause),
    );
  }
}

/** Pure: what is wrong with the place alone. */
export function placeProblem(real: string): string | null {
  // ProtectHome hides these from the services.
  if (/^\/(home|root|run\/user)\//.test(real))
    return 'it lies in a home folder, which the services cannot see';
  if (/^\/(tmp|var\/tmp|dev\/shm)\//.test(real)) return 'it lies in a temporary folder';
  if (real.split('/').includes('node_modules')) return 'it belongs to a checkout (node_modules)';
  return null;
}

async function ownerProblem(real: string): Promise<string | null> {
  for (let at = real; ; at = path.dirname(at)) {
    const { uid, mode } = await stat(at);
    if (uid !== 0) return `${at} belongs to user ${uid}, not to root`;
    if ((mode & 0o022) !== 0) return `${at} can be changed by others than root`;
    if (at === '/') return null;
  }
}
