// What `flash` and `install-to-disk` have in common: choose the disks, ask, write, say what became of each.
import { realpath } from 'node:fs/promises';
import { bytesText } from '../flash/bytes-text.ts';
import { type Choice, chooseDisks } from '../flash/choose-disks.ts';
import type { SystemRoots } from '../flash/disk.ts';
import { type FlashOptions, flashDisks } from '../flash/flash-disks.ts';
import type { FlashProblem } from '../flash/flash-error.ts';
import type { FoundDisk } from '../flash/read-disks.ts';
import { type CommandContext, exitCodes } from './command.ts';
import { diskListText, diskText } from './disk-list-text.ts';
import { flashProgress } from './flash-progress.ts';
import { plainLine } from './plain-text.ts';

export interface WriteRequest {
  readonly roots: SystemRoots;
  readonly all: readonly FoundDisk[];
  /** To choose from when none is named. */
  readonly offered: readonly FoundDisk[];
  readonly named: readonly string[];
  readonly yes: boolean;
  readonly json: boolean;
  readonly what: string;
}

export async function chooseAndConfirm(
  context: CommandContext,
  request: WriteRequest,
): Promise<Choice<readonly FoundDisk[]>> {
  const named = request.named.length > 0 ? request.named : await askWhich(context, request);
  if (!Array.isArray(named)) return { ok: false, problem: named as FlashProblem };
  const paths = await Promise.all(
    (named as readonly string[]).map((each) => realpath(each).catch(() => each)),
  );
  const choice = chooseDisks(request.all, paths);
  if (!choice.ok || request.yes) return choice;
  if (context.ask === null)
    return refused(
      'flash.not-confirmed',
      `write to ${paths.join(', ')}: nobody can be asked here`,
      'Add --yes.',
    );
  context.complain(choice.value.map((disk) => `     ${diskText(disk)}\n`).join(''));
  const answer = await context.ask(
    `Everything on it is lost, ${request.what} takes its place. Type yes to go on: `,
  );
  if (answer.toLowerCase() === 'yes') return choice;
  return refused(
    'flash.not-confirmed',
    `write to ${paths.join(', ')}: not confirmed`,
    'Nothing was written.',
  );
}

async function askWhich(
  { ask, complain }: CommandContext,
  { offered }: WriteRequest,
): Promise<readonly string[] | FlashProblem> {
  if (offered.length === 0)
    return {
      code: 'flash.no-disk',
      message: 'choose a disk: there is none that may be written',
      remedy: 'Plug one in; the disk that this system runs from and read-only ones are never offered.',
    };
  complain(diskListText(offered));
  if (ask === null)
    return {
      code: 'flash.not-confirmed',
      message: 'choose a disk: none is named, and nobody can be asked here',
      remedy: `Name one and add --yes, for example ${offered[0]?.path} --yes`,
    };
  const answers = (await ask('Which? (number or path; several with blanks between) '))
    .split(/[\s,]+/)
    .filter((each) => each !== '');
  if (answers.length === 0)
    return {
      code: 'flash.not-confirmed',
      message: 'choose a disk: none was chosen',
      remedy: 'Nothing was written.',
    };
  return answers.map((each) => (/^\d+$/.test(each) ? (offered[Number(each) - 1]?.path ?? each) : each));
}

export async function writeDisks(
  context: CommandContext,
  options: Omit<FlashOptions, 'report'>,
  { json, notes = {} }: { readonly json: boolean; readonly notes?: object },
): Promise<number> {
  const progress = flashProgress({
    json,
    isTerminal: context.isTerminal,
    write: context.complain,
    nowMs: () => performance.now(),
  });
  const outcome = await flashDisks({ ...options, report: progress.report });
  progress.end();
  if (!outcome.ok) return sayProblem(context, outcome.problem, json);
  const ok = outcome.results.every((result) => result.ok);
  if (json) context.print(`${JSON.stringify({ ...outcome, ...notes, ok })}\n`);
  else
    for (const result of outcome.results) {
      if (result.ok)
        context.print(
          `done: ${result.path}  ${bytesText(result.comparedBytes)} written, read back and equal, in ${result.seconds.toFixed(1)} s\n`,
        );
      else context.complain(problemText(result.problem));
    }
  return ok ? exitCodes.ok : exitCodes.refused;
}

export function sayProblem(
  { print, complain }: CommandContext,
  problem: FlashProblem,
  json: boolean,
): number {
  if (json) print(`${JSON.stringify({ ok: false, problem })}\n`);
  else complain(problemText(problem));
  return exitCodes.refused;
}

function problemText({ code, message, remedy }: FlashProblem): string {
  return `${plainLine(`${code}: ${message}. ${remedy}`)}\n`;
}

function refused(
  code: FlashProblem['code'],
  message: string,
  remedy: string,
): { readonly ok: false; readonly problem: FlashProblem } {
  return { ok: false, problem: { code, message, remedy } };
}
