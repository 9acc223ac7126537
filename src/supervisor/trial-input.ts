// What `autoweave plugin dev|test` was given: folder, events, settings -> checked values, or an error that says what to do.
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Type } from 'typebox';
import { AppError } from '../lib/app-error.ts';
import { errorText } from '../lib/error-text.ts';
import { schemaCheck } from '../lib/schema-check.ts';
import { type TrialEvent, trialEvents } from './trial-devices.ts';

export interface TrialInput {
  readonly dir: string;
  readonly events: readonly TrialEvent[];
  readonly settings: Readonly<Record<string, unknown>>;
}

const AnyObject = Type.Record(Type.String(), Type.Unknown());
const checkSettings = schemaCheck(AnyObject);
const checkEvents = schemaCheck(
  Type.Array(
    Type.Object(
      { type: Type.String(), subject: Type.String(), data: AnyObject },
      { additionalProperties: false },
    ),
  ),
);

/** @throws AppError `cli.usage`, `cli.unreadable` */
export async function readTrialInput(args: readonly string[]): Promise<TrialInput> {
  const { positionals, values } = parse(args);
  if (positionals.length > 1) throw new AppError('cli.usage', 'one DIR is enough');
  const dir = path.resolve(positionals[0] ?? '.');
  const manifest = path.join(dir, 'plugin.json');
  await access(manifest).catch((cause: unknown) => {
    throw new AppError(
      'cli.unreadable',
      `${manifest} is not there or not readable; say the folder of a plugin, \`autoweave plugin init NAME\` makes one`,
      { cause },
    );
  });
  return {
    dir,
    events: values.events === undefined ? trialEvents : await readEvents(values.events),
    settings: values.settings === undefined ? {} : await readSettings(values.settings),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { events: { type: 'string' }, settings: { type: 'string' } },
      allowPositionals: true,
    });
  } catch (cause) {
    throw new AppError('cli.usage', errorText(cause), { cause });
  }
}

async function readEvents(file: string): Promise<readonly TrialEvent[]> {
  const checked = checkEvents(await readJson(file));
  if (checked.ok) return checked.value;
  const [first] = checked.problems;
  throw new AppError(
    'cli.unreadable',
    `read ${file}: it must be a list of {"type","subject","data"}, and ${first?.path || 'it'} ${first?.message}`,
  );
}

async function readSettings(file: string): Promise<TrialInput['settings']> {
  const checked = checkSettings(await readJson(file));
  if (checked.ok) return checked.value;
  throw new AppError('cli.unreadable', `read ${file}: settings are one JSON object, {"name": value}`);
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new AppError('cli.unreadable', `read ${file}: ${errorText(cause)}`, { cause });
  }
}
