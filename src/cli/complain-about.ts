import type { ConfigProblem } from '../config/config-problem.ts';
import type { CommandContext } from './command.ts';

export function complainAbout(problems: readonly ConfigProblem[], { complain }: CommandContext): void {
  for (const { code, message, remedy } of problems) complain(`${code}: ${message}. ${remedy}\n`);
}
