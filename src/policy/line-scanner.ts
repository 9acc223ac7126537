// One line of a rule file -> characters one after the other, and the first thing that was wrong.
import type { RuleFault } from './policy-problem.ts';

/**
 * INVARIANTS
 * - The first fault stays; whoever gets null from a parser gives null on.
 * - Nothing is thrown, whatever the line holds.
 */
export class LineScanner {
  readonly text: string;
  #at: number;
  #fault: RuleFault | null = null;

  constructor(text: string, at = 0) {
    this.text = text;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get fault(): RuleFault | null {
    return this.#fault;
  }

  isAtEnd(): boolean {
    return this.#at >= this.text.length;
  }

  peek(): string {
    return this.text[this.#at] ?? '';
  }

  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  /** Blanks and tabs; whether there was one. */
  skipBlanks(): boolean {
    const from = this.#at;
    while (this.peek() === ' ' || this.peek() === '\t') this.#at++;
    return this.#at > from;
  }

  /** What a sticky expression matches here, '' when nothing. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  back(to: number): void {
    this.#at = to;
  }

  /** Notes what was expected here (or at `at`), and gives null for the caller to give on. */
  fail(code: RuleFault['code'], expected: string, at: number = this.#at): null {
    this.#fault ??= { code, at, expected, found: foundAt(this.text, at) };
    return null;
  }
}

const MAX_SHOWN = 24;

function foundAt(text: string, at: number): string {
  if (at >= text.length) return 'the end of the line';
  const word = /^[\w:*.()!-]+|^./su.exec(text.slice(at, at + MAX_SHOWN))?.[0] ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is made visible here.
  return `"${word.replace(/[\x00-\x1f\x7f-\xff]/g, (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}
