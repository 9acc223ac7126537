// A log that keeps its lines for assertions instead of printing them.
import type { Log } from '../../src/contracts/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly facts: object;
  readonly message: string;
}

export function recordingLog(lines: LogLine[] = []): Log & { readonly lines: readonly LogLine[] } {
  const at = (level: LogLine['level']) => (facts: object, message: string) =>
    void lines.push({ level, facts, message });
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => recordingLog(lines),
  };
}
