const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** As on the package of a stick, in powers of ten: `15.6 GB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}
