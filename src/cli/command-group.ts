// Several actions under one name, `autoweave key new …` -> one Command. Refusals and errors with a code become a line and exit code 1.
import { nearestName } from '../lib/nearest-name.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { tellRefusal } from './tell-refusal.ts';

export interface Action {
  /** The line after `autoweave GROUP `, which begins with the action's name: `new --out NAME [--no-password]`. */
  readonly usage: string;
  /** One line. */
  readonly about: string;
  /** `context.args` are what follows the action's name. May throw errors of `parseArgs`, and `AppError`. */
  run(context: CommandContext): Promise<number>;
}

export function commandGroup(options: {
  readonly name: string;
  readonly summary: string;
  /** Printed below the list of actions. */
  readonly notes: string;
  readonly actions: Readonly<Record<string, Action>>;
  /** Explained here; who starts the program runs them. */
  readonly elsewhere?: Readonly<Record<string, Pick<Action, 'usage' | 'about'>>>;
}): Command {
  const { name, summary, notes, actions, elsewhere = {} } = options;
  const names = [...Object.keys(actions), ...Object.keys(elsewhere)];
  const lines = [...Object.values(actions), ...Object.values(elsewhere)].map(
    ({ usage, about }) => `  autoweave ${name} ${usage}\n      ${about}`,
  );
  return {
    name,
    summary,
    usage: `${name} ${names.join('|')} …\n\n${lines.join('\n')}\n\n${notes}`,
    async run(context) {
      const [wanted = '', ...args] = context.args;
      const action = Object.hasOwn(actions, wanted) ? actions[wanted] : undefined;
      if (action === undefined) {
        const near = nearestName(wanted, names);
        const advice = near === null ? `Say one of: ${names.join(', ')}.` : `Did you mean ${near}?`;
        const what = wanted === '' ? '' : `there is no "${wanted}". `;
        context.complain(`autoweave ${name}: ${what}${advice}\n`);
        return exitCodes.usage;
      }
      return tellRefusal(context, () => action.run({ ...context, args }));
    },
  };
}
