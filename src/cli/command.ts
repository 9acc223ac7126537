// What a command of the `autoweave` program is: one file each, listed in commands.ts.

export interface CommandContext {
  /** What follows the command's name. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Results, and nothing else: another program may read them. */
  readonly print: (text: string) => void;
  /** What a person should know besides. */
  readonly complain: (text: string) => void;
  /** Asks the person at the terminal; null when there is none. Resolves with '' at the end of the input. `isSecret`: not shown. */
  readonly ask: ((question: string, options?: { readonly isSecret?: boolean }) => Promise<string>) | null;
  readonly output: {
    /** Whether what is printed goes to a terminal, which shows what a cursor does. */
    readonly isTerminal: boolean;
    /** Aborted once nobody takes what is printed: what goes on until it is stopped ends then; what acts goes on to its end. */
    readonly ended: AbortSignal;
  };
  /** Whether what is complained goes to a terminal, where a line can be written over. */
  readonly isTerminal: boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Printed after `Usage: autoweave `; further lines explain. */
  readonly usage: string;
  /** Resolves with the exit code: see `exitCodes`. Errors of `parseArgs` may simply be thrown. */
  run(context: CommandContext): Promise<number>;
}

export const exitCodes = {
  ok: 0,
  /** The command was understood and its answer is no. */
  refused: 1,
  /** The command line itself is wrong. */
  usage: 2,
} as const;
