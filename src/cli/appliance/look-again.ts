// What is asked once, or asked again and again until somebody stops it.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AppError } from '../../lib/app-error.ts';
import { type CommandContext, exitCodes } from '../command.ts';
import { plainLine } from '../plain-text.ts';
import { tellRefusal } from '../tell-refusal.ts';
import { type ApplianceClient, applianceClient, applianceOptions } from './appliance-client.ts';

const PERIOD_MS = 2_000;
/** A terminal's: cursor to the top left, delete what is below. */
const HOME = '\u001b[H\u001b[J';

export interface Look {
  readonly path: string;
  /** What the answer of every appliance has. */
  readonly field: string;
  toText(answer: Readonly<Record<string, unknown>>): string;
}

/** With --watch a terminal shows the newest answer alone; a pipe gets one after the other. Silence is told and waited for. */
export async function lookAgain(context: CommandContext, look: Look): Promise<number> {
  return withAppliance(context, async (client, values) => {
    const show = async () => {
      const answer = await client.get(look.path, look.field);
      if (values.json) return `${JSON.stringify(answer, null, values.watch ? 0 : 2)}\n`;
      return look.toText(answer);
    };
    context.print(await show());
    const { ended, isTerminal } = context.output;
    while (values.watch) {
      await delay(PERIOD_MS, undefined, { signal: ended }).catch(() => undefined);
      if (ended.aborted) break;
      try {
        const text = await show();
        context.print(isTerminal && !values.json ? `${HOME}${text}` : text);
      } catch (cause) {
        if (!(cause instanceof AppError)) throw cause;
        context.complain(`${plainLine(`${cause.code}: ${cause.message}`)}\n`);
      }
    }
    return exitCodes.ok;
  });
}

type Values = ReturnType<typeof parseArgs<{ options: typeof applianceOptions }>>['values'];

/** Refusals become a line and exit code 1. */
export async function withAppliance(
  context: CommandContext,
  run: (client: ApplianceClient, values: Values) => Promise<number>,
): Promise<number> {
  const { values } = parseArgs({ args: [...context.args], options: applianceOptions });
  return tellRefusal(context, async () => run(await applianceClient(values, context.environment), values));
}
