// How a process ended -> the code and the sentence that are told of it, where nothing else has ended it. Pure.
import type { ProcessEnd } from './host-link.ts';

export function whyEnded(end: ProcessEnd, isOom: boolean, failure: string | null, isRunning: boolean) {
  if (isOom)
    return { code: 'plugins.out-of-memory', reason: 'it needed more memory than it may have (memory.max)' };
  if (failure !== null)
    return { code: isRunning ? 'plugins.exited' : 'plugins.code-failed', reason: failure };
  const how = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}`;
  return isRunning
    ? { code: 'plugins.exited', reason: `its process ended by itself (${how})` }
    : { code: 'plugins.start-failed', reason: `its process ended before it ran (${how}); its log says more` };
}
