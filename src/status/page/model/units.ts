// Seconds, bytes, counts and instants -> short text. Pure.
import { locale, t } from '../strings.ts';

/** 45 s, 12 min, 3 h 12 min, 4 d 2 h */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return t.unit.seconds(whole);
  const minutes = Math.round(whole / 60);
  if (minutes < 100) return t.unit.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two(t.unit.hours(hours), minutes % 60, t.unit.minutes);
  return two(t.unit.days(Math.floor(hours / 24)), hours % 24, t.unit.hours);
}

const two = (first: string, rest: number, unit: (n: number) => string) =>
  rest === 0 ? first : `${first} ${unit(rest)}`;

export const ago = (seconds: number): string => (seconds < 1.5 ? t.unit.now : t.unit.ago(duration(seconds)));

export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** 12,345 — and 1.23 million where the digits no longer help. */
export function count(value: number): string {
  if (value < 1_000_000) return value.toLocaleString(locale);
  return t.unit.millions((value / 1_000_000).toFixed(value < 10_000_000 ? 2 : 1));
}

const clockTime = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
const shortTime = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });

/** 07:16:04 of today; 20 Nov, 06:16 of another day; with the year where it is not this one. */
export function instant(text: string, now = new Date()): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return t.unknown;
  if (date.toDateString() === now.toDateString()) return clockTime.format(date);
  const shown = date.getFullYear() === now.getFullYear() ? day : dayAndYear;
  return `${shown.format(date)}, ${shortTime.format(date)}`;
}

/** Seconds between two instants as the appliance tells them; null where one of them is none. */
export function secondsBetween(from: string | null | undefined, to: string): number | null {
  if (from === null || from === undefined) return null;
  const seconds = (Date.parse(to) - Date.parse(from)) / 1_000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
