// `autoweave settings|audit|diagnostics`: what an operator reads of an appliance beyond its state.
import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { AuditEntry } from '../contracts/api-access.ts';
import { AppError } from '../lib/app-error.ts';
import { errorText } from '../lib/error-text.ts';
import { actOptions, actUsage, applianceClient, whereOptions } from './appliance/appliance-client.ts';
import { auditText, settingsText } from './appliance/shown-text.ts';
import { cliError } from './cli-error.ts';
import { type Command, exitCodes } from './command.ts';
import { lastOption, numberOption, oneFile } from './command-options.ts';
import { openNewFile } from './open-new-file.ts';
import { tellRefusal } from './tell-refusal.ts';

const DIAGNOSTICS_LIMIT_MS = 120_000;

export const settingsCommand: Command = {
  name: 'settings',
  summary: 'The configuration that is in force on the appliance, without its secrets',
  usage: `settings ${whereOptions}

A line for each setting, named as \`autoweave config\` and the configuration file name it.
${actUsage}`,
  run: (context) =>
    tellRefusal(context, async () => {
      const { values } = parseArgs({ args: [...context.args], options: actOptions });
      const answer = await (await applianceClient(values, context.environment)).get(
        '/api/v1/settings',
        'config',
      );
      const { config, hidden } = answer as { readonly config: unknown; readonly hidden: readonly string[] };
      context.print(values.json ? `${JSON.stringify(answer, null, 2)}\n` : settingsText(config, hidden));
      return exitCodes.ok;
    }),
};

export const auditCommand: Command = {
  name: 'audit',
  summary: 'Who did what on the appliance, from where, and what came of it',
  usage: `audit [--last N] [--before NUMBER] ${whereOptions}

  --last N           the newest N (20), at most 200; the newest comes last
  --before NUMBER    those before this entry
${actUsage}`,
  run: (context) =>
    tellRefusal(context, async () => {
      const options = { ...actOptions, last: { type: 'string' }, before: { type: 'string' } } as const;
      const { values } = parseArgs({ args: [...context.args], options });
      const limit = lastOption(values.last);
      const before = numberOption('--before', values.before);
      const query = `limit=${limit}${before === undefined ? '' : `&before=${before}`}`;
      const answer = await (await applianceClient(values, context.environment)).get(
        `/api/v1/audit?${query}`,
        'entries',
      );
      const { entries } = answer as unknown as { readonly entries: readonly AuditEntry[] };
      context.print(values.json ? `${JSON.stringify(answer, null, 2)}\n` : auditText(entries.toReversed()));
      return exitCodes.ok;
    }),
};

export const diagnosticsCommand: Command = {
  name: 'diagnostics',
  summary: 'Keep everything that helps to find a fault in a file, without secrets',
  usage: `diagnostics FILE ${whereOptions}

FILE is gzip of JSON, and is not written over.
${actUsage}`,
  run: (context) =>
    tellRefusal(context, async () => {
      const { values, positionals } = parseArgs({
        ...{ args: [...context.args], options: actOptions, allowPositionals: true },
      });
      const file = oneFile(positionals, 'FILE');
      const client = await applianceClient(values, context.environment);
      await using kept = await openNewFile(file);
      try {
        const signal = AbortSignal.timeout(DIAGNOSTICS_LIMIT_MS);
        await kept.write(await client.open('/api/v1/diagnostics', { type: 'application/gzip', signal }));
      } catch (cause) {
        // Half of it would look like all of it.
        await kept.forget();
        if (cause instanceof AppError) throw cause;
        throw cliError('cli.unwritable', `write ${file}: ${errorText(cause)}`, cause);
      }
      const bytes = (await stat(file)).size;
      context.print(values.json ? `${JSON.stringify({ file, bytes })}\n` : `${file}: ${bytes} bytes\n`);
      return exitCodes.ok;
    }),
};
