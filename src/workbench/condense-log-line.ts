// A line of the daemon's JSON log -> one line for a person, or null for what is less than info. Other text stays as it is.

const levels: Readonly<Record<string, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
/** The same on every line, or shown elsewhere on it. */
const left = new Set([
  'level',
  'time',
  'msg',
  'pid',
  'hostname',
  'v',
  'name',
  'tenant',
  'site',
  'appliance',
  'version',
]);

export function condenseLogLine(line: string): string | null {
  const entry = parseEntry(line);
  if (entry === null) return line;
  const level = levels[String(entry.level)] ?? String(entry.level);
  if (level === 'debug' || level === 'trace') return null;
  const facts = Object.entries(entry).flatMap(([key, value]) =>
    left.has(key) || value === null || value === undefined ? [] : [`${key}=${factText(value)}`],
  );
  return [timeText(entry.time), level.padEnd(5), String(entry.msg), ...facts].join(' ').trim();
}

function parseEntry(line: string): Readonly<Record<string, unknown>> | null {
  if (!line.startsWith('{')) return null;
  try {
    const value = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return 'level' in value && 'msg' in value ? value : null;
  } catch {
    // A torn line, or another program's: shown as it is.
    return null;
  }
}

function timeText(time: unknown): string {
  const date = new Date(typeof time === 'number' || typeof time === 'string' ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8);
}

function factText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if ('message' in value && typeof value.message === 'string') return JSON.stringify(value.message);
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
