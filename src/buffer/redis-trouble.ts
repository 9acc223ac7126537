// An error on the way to Redis -> what people are told: how bad, why, and what helps. Nothing here ends the daemon.
import type { PartState } from '../contracts/health.ts';
import { errorText } from '../lib/error-text.ts';

export interface Trouble {
  readonly state: Extract<PartState, 'degraded' | 'down'>;
  readonly why: string;
}

const replies: readonly (readonly [RegExp, Trouble['state'], string])[] = [
  [/\bLOADING\b/, 'degraded', 'Redis is loading its log; events wait in memory and go on by themselves'],
  [
    /\bOOM\b/,
    'degraded',
    'Redis is at its memory limit and takes no events; they wait in memory. Connect the broker so that the buffer drains, or raise maxmemory',
  ],
  [
    /\bMISCONF\b/,
    'down',
    'Redis cannot write its log and takes no events; they wait in memory. Free space on its disk and look at its log',
  ],
  [/\bREADONLY\b/, 'down', 'Redis is a read-only replica; set buffer.redisSocket to the primary'],
  [
    /\b(NOAUTH|WRONGPASS)\b/,
    'down',
    'Redis refuses the credentials; check buffer.username and buffer.password',
  ],
  [
    /\bNOPERM\b/,
    'down',
    "Redis's ACL forbids a command that the buffer needs; start Redis with the shipped redis.conf",
  ],
  [
    /\bENOENT\b/,
    'down',
    'Redis is not running (no socket); it is started by its service. Check buffer.redisSocket',
  ],
  [
    /\bECONNREFUSED\b/,
    'down',
    'Redis is not running (nobody listens at its socket); it is started by its service',
  ],
  [/\bEACCES\b/, 'down', "this user may not open Redis's socket; add it to the socket's group"],
];

export function toTrouble(thrown: unknown): Trouble {
  const text = errorText(thrown);
  const known = replies.find(([pattern]) => pattern.test(text));
  if (known === undefined) return { state: 'down', why: `${text}; events wait in memory` };
  return { state: known[1], why: `${known[2]} (${text})` };
}
