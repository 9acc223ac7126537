// The log of the appliance: JSON lines by pino, ISO time, secrets redacted, every line bounded.
import { type Logger, pino } from 'pino';
import type { LogConfig } from '../contracts/config/log-config.ts';
import type { Log } from '../contracts/log.ts';
import { type LogDestination, openLogDestination } from './log-destination.ts';
import { redactFacts, redactText } from './redact-facts.ts';

/** Collectors cut or refuse longer lines, each in its own way. */
const MAX_LINE_CHARACTERS = 16_384;
/** Kept for the page: in memory, a restart forgets them. */
const RECENT_LINES = 500;
const RECENT_CHARACTERS = 262_144;

export interface RootLog extends Log {
  /** Lines that the output did not take, since the start. */
  lost(): number;
  /** The newest lines as they were written, oldest first. */
  recent(): readonly string[];
}

/** Writes to standard output unless another `destination` is given. */
export function createLog(options: {
  readonly level: LogConfig['level'];
  readonly destination?: LogDestination;
}): RootLog {
  const destination = options.destination ?? openLogDestination(1);
  const recent: string[] = [];
  let characters = 0;
  const keep = (line: string) => {
    recent.push(line);
    characters += line.length;
    while (recent.length > RECENT_LINES || characters > RECENT_CHARACTERS)
      characters -= recent.shift()?.length ?? 0;
  };
  const logger = pino(
    {
      level: options.level,
      // The supervisor of this process and the appliance's name are known to whoever collects the lines.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // An error is plain data already (redact-facts.ts); pino's own serializer would take it apart again.
      serializers: { err: (err: unknown) => err },
      formatters: { level: (level) => ({ level }) },
    },
    {
      write(given) {
        const line = given.length > MAX_LINE_CHARACTERS ? shorten(given) : given;
        destination.write(line);
        keep(line);
      },
    },
  );
  return { ...toLog(logger), lost: () => destination.lost(), recent: () => recent };
}

function toLog(logger: Logger): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (facts: object, message: string) => {
    if (logger.isLevelEnabled(level)) logger[level](redactFacts(facts), redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (facts) => toLog(logger.child(redactFacts(facts))),
  };
}

/** Keeps what finds the place and drops the facts. */
function shorten(line: string): string {
  const { level, time, part, msg } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  return `${JSON.stringify({ level, time, part, shortenedFrom: line.length, msg })}\n`;
}
