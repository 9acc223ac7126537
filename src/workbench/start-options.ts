// The arguments of `npm start -- …` -> checked options.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { errorText } from '../lib/error-text.ts';
import { WorkbenchError } from './workbench-error.ts';

export interface StartOptions {
  readonly help: boolean;
  readonly simulate: boolean;
  readonly fresh: boolean;
  /** Of the page; null: the usual one when it is free, otherwise any. */
  readonly port: number | null;
  /** Run for so long; null: until a signal. */
  readonly seconds: number | null;
  readonly stateDir: string;
  readonly capturesDir: string;
  /** Plugins run also where this computer cannot bound them. */
  readonly insecurePlugins: boolean;
  readonly seed: number;
}

export const startHelp = `npm start [-- OPTIONS]

  --simulate      replay recorded devices, also when this computer has a USB bus
  --fresh         forget the events and devices of earlier runs
  --insecure-plugins  run plugins also where this computer cannot bound them
  --port N        port of the page (default: 8480, or a free one when that is taken)
  --seconds N     run for N seconds
  --state DIR     where events are kept between runs (default: .cache/start)
  --captures DIR  other recordings for --simulate (default: src/workbench/captures)
  --seed N        another order of plugging for --simulate (default: 1)`;

/** @throws WorkbenchError `workbench.bad-option` */
export function parseStartOptions(args: readonly string[], root: string): StartOptions {
  const values = parse(args);
  return {
    help: values.help,
    simulate: values.simulate,
    fresh: values.fresh,
    port: numberOf('port', values.port, 65_535),
    seconds: numberOf('seconds', values.seconds, 86_400),
    stateDir: path.resolve(root, values.state),
    capturesDir: path.resolve(root, values.captures),
    insecurePlugins: values['insecure-plugins'],
    seed: numberOf('seed', values.seed, 4_294_967_295) ?? 1,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        simulate: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        'insecure-plugins': { type: 'boolean', default: false },
        port: { type: 'string' },
        seconds: { type: 'string' },
        state: { type: 'string', default: '.cache/start' },
        captures: { type: 'string', default: 'src/workbench/captures' },
        seed: { type: 'string', default: '1' },
      },
    }).values;
  } catch (cause) {
    throw new WorkbenchError('workbench.bad-option', `${errorText(cause)}\n\n${startHelp}`);
  }
}

function numberOf(name: string, text: string | undefined, maximum: number): number | null {
  if (text === undefined) return null;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= maximum) return value;
  throw new WorkbenchError(
    'workbench.bad-option',
    `--${name} takes a whole number from 1 to ${maximum}, not ${JSON.stringify(text)}`,
  );
}
