// Options as they were typed -> values, or an error of usage that names the option.
import { cliError } from './cli-error.ts';

export function oneFile(positionals: readonly string[], what: string): string {
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw cliError('cli.usage', `one ${what} is needed; there are ${positionals.length}`);
  return file;
}

export function numberOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(text)) throw cliError('cli.usage', `${name} takes a whole number, not ${text}`);
  return Number(text);
}

/** How many of the newest: as many as the appliance tells at once. */
export function lastOption(text: string | undefined): number {
  const last = numberOption('--last', text) ?? 20;
  if (last < 1 || last > 200) throw cliError('cli.usage', `--last takes 1 to 200, not ${last}`);
  return last;
}

/** A day (its beginning, UTC) or an instant. */
export function instantOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw cliError('cli.usage', `${name} takes a date such as 2027-01-31, not ${text}`);
  return ms;
}
