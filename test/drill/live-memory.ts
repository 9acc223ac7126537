// What a Node process really holds: it is told through its inspector to collect its garbage (the product has no part in that), then
// the kernel is asked. Without the collection the figure is that of the collector's mood.
import { readFileSync } from 'node:fs';
import { until } from '../support/until.ts';

export interface LiveMemory {
  /** Of JavaScript objects that are reachable, in MB. */
  readonly heapMB: number;
  /** Proportional set size, in MB. */
  readonly pssMB: number;
}

/** Makes the inspector listen on any free port once the process is asked for it. */
export const inspectorEnvironment = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' };

/**
 * @param complaints what the process has written to standard error so far
 */
export async function readLiveMemory(pid: number, complaints: () => string): Promise<LiveMemory> {
  const listening = /Debugger listening on (ws:\S+)/g;
  if (!listening.test(complaints())) process.kill(pid, 'SIGUSR1');
  const url = await until(
    'the inspector listens',
    () => [...complaints().matchAll(/Debugger listening on (ws:\S+)/g)].at(-1)?.[1],
  );
  const socket = new WebSocket(url);
  const answers = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result: unknown };
    if (id !== undefined) answers.get(id)?.(result);
  });
  const failed = new Promise<never>((_, reject) => {
    socket.addEventListener('close', () => reject(new Error('the inspector closed the connection')));
  });
  failed.catch(() => undefined);
  await Promise.race([new Promise((resolve) => socket.addEventListener('open', resolve)), failed]);
  let last = 0;
  const ask = (method: string, params: object = {}) => {
    const id = ++last;
    const answered = new Promise<unknown>((resolve) => void answers.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    return Promise.race([answered, failed]);
  };
  try {
    // Twice: what the first one finalizes is free after the second.
    for (let time = 0; time < 2; time += 1) await ask('HeapProfiler.collectGarbage');
    const { usedSize } = (await ask('Runtime.getHeapUsage')) as { readonly usedSize: number };
    return { heapMB: usedSize / 1e6, pssMB: readPssMB(pid) };
  } finally {
    socket.close();
  }
}

export function readPssMB(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return (Number(kib) * 1_024) / 1e6;
}
