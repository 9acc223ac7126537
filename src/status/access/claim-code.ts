// The code that only somebody in front of the box can read: whoever sends it becomes the first administrator.
import { randomInt } from 'node:crypto';
import { isSameText } from './sessions.ts';

/** Without 0, O, 1, I, L and U: read from a screen across a room. 8 of 30 are 39 bits. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
const LETTERS = 8;
/** Few of 10^11, and so many that a stranger cannot change the code faster than its reader types it. */
const MOST_WRONG = 200;

export interface ClaimCode {
  /** As it is shown: `ABCD-EFGH`. */
  current(): string;
  /** After 200 wrong ones there is a new code. */
  matches(typed: string): boolean;
}

/** @param onChange called with every new code, the first one included */
export function createClaimCode(onChange: (code: string) => void): ClaimCode {
  let code = newCode();
  let wrong = 0;
  onChange(code);
  return {
    current: () => code,
    matches(typed) {
      if (isSameText(plain(typed), plain(code))) return true;
      wrong += 1;
      if (wrong >= MOST_WRONG) {
        wrong = 0;
        code = newCode();
        onChange(code);
      }
      return false;
    },
  };
}

function newCode(): string {
  const letters = Array.from({ length: LETTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

function plain(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, '').slice(0, 64);
}
