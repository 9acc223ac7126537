// Who uses a state folder: one `npm start` at a time, because two Redis on one log destroy it. A run that was killed left
// its children behind; the next one ends them. A pid alone proves nothing, a pid with its start time does.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { schemaCheck } from '../lib/schema-check.ts';
import { WorkbenchError } from './workbench-error.ts';

const Process = Type.Object({ pid: Type.Integer({ minimum: 2 }), startTicks: Type.String() });
type Process = Static<typeof Process>;
const Running = Type.Object({ owner: Process, children: Type.Array(Process) });
const checkRunning = schemaCheck(Running);

export interface RunningFile {
  add(pid: number): void;
  release(): void;
}

/** @throws WorkbenchError `workbench.already-running` */
export function claimState(stateDir: string, say: (line: string) => void): RunningFile {
  const file = path.join(stateDir, 'running.json');
  mkdirSync(stateDir, { recursive: true });
  const before = readRunning(file);
  if (before !== null) {
    if (isAlive(before.owner)) {
      throw new WorkbenchError(
        'workbench.already-running',
        `cannot use ${stateDir}: the process ${before.owner.pid} runs on it; stop that one first, or choose another folder with --state DIR`,
      );
    }
    const left = before.children.filter(isAlive);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    if (left.length > 0) say(`ended ${left.length} processes that an earlier run was killed without`);
  }
  const children: Process[] = [];
  const owner = identify(process.pid);
  const write = () => writeFileSync(file, JSON.stringify({ owner, children }));
  write();
  return {
    add(pid) {
      children.push(identify(pid));
      write();
    },
    release: () => rmSync(file, { force: true }),
  };
}

function readRunning(file: string): Static<typeof Running> | null {
  try {
    const verdict = checkRunning(JSON.parse(readFileSync(file, 'utf8')));
    return verdict.ok ? verdict.value : null;
  } catch {
    // Not there, or torn by a power cut: then nobody of that run is alive either.
    return null;
  }
}

const identify = (pid: number): Process => ({ pid, startTicks: startTicksOf(pid) ?? '' });
const isAlive = ({ pid, startTicks }: Process) => startTicks !== '' && startTicksOf(pid) === startTicks;

/** Field 22 of /proc/PID/stat; null when there is no such process, or only its zombie. */
function startTicksOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
