import type { ConfigProblem } from '../config/config-problem.ts';
import type { CommandContext } from './command.ts';
import { plainLine } from './plain-text.ts';

export function complainAbout(problems: readonly ConfigProblem[], { complain }: CommandContext): void {
  for (const { code, message, remedy } of problems)
    complain(`${plainLine(`${code}: ${message}. ${remedy}`)}\n`);
}
