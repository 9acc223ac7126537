// One line of a scale -> a reading. Two protocols that most scales speak:
// `status-line`, sent again and again: `ST,GS,+  1.234kg` (ST stable, US unstable, OL overload; GS gross, NT net);
// `sics` (MT-SICS), sent after a request: `S S     1.234 kg` (S stable, D dynamic, I not ready, + and - out of range).

export type Protocol = 'status-line' | 'sics';

export type Reading =
  | { readonly kind: 'weight'; readonly value: number; readonly unit: string; readonly stable: boolean }
  | { readonly kind: 'overload' };

const statusLine = /^(ST|US|OL)\s*,\s*(?:GS|NT|TR)?\s*,?\s*([+-]?)\s*([0-9]*\.?[0-9]+)?\s*(kg|g|lb|oz|t)?$/i;
const sics = /^S\s+(S|D|I|\+|-)(?:\s+(-?)\s*([0-9]*\.?[0-9]+)\s*(kg|g|lb|oz|t))?$/;

/** null: no reading, such as a greeting, half a line, or one of another protocol. */
export function parseReading(line: string, protocol: Protocol | 'auto'): Reading | null {
  const text = line.trim();
  const found =
    (protocol !== 'sics' && statusLine.exec(text)) || (protocol !== 'status-line' && sics.exec(text)) || null;
  if (found === null) return null;
  const [, status = '', sign = '', digits, unit] = found;
  if (['OL', '+', '-'].includes(status.toUpperCase())) return { kind: 'overload' };
  if (digits === undefined || unit === undefined) return null;
  const value = Number(`${sign === '-' ? '-' : ''}${digits}`);
  return {
    kind: 'weight',
    value: value === 0 ? 0 : value,
    unit: unit.toLowerCase(),
    stable: /^(ST|S)$/i.test(status),
  };
}
