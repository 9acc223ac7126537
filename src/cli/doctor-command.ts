// `autoweave doctor`: everything that can be wrong with a box, looked at once, each with what to do about it.
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/load-config.ts';
import { readConfigFile } from '../config/read-config-file.ts';
import { errorText } from '../lib/error-text.ts';
import { examine } from '../operate/doctor/examine.ts';
import { type Finding, fault, ok, type Verdict } from '../operate/doctor/finding.ts';
import { type Command, type CommandContext, exitCodes } from './command.ts';
import { plainLine } from './plain-text.ts';

const marks: Readonly<Record<Verdict, string>> = {
  ok: 'ok',
  attention: 'ATTENTION',
  fault: 'FAULT',
  unknown: 'unknown',
};

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Look for everything that can be wrong with this box, and say what to do',
  usage: `doctor [--config FILE] [--root DIR] [--json]

Looks at configuration, running appliance, clock, disk, flash wear, memory, cgroups, namespaces, udev, watchdog, Redis, broker,
certificates and trust. Changes nothing. Ends with 1 when something is a fault. --root looks at the /proc, /sys, /run and /etc of another tree.`,
  async run(context) {
    const { values } = parseArgs({
      args: [...context.args],
      options: { config: { type: 'string' }, json: { type: 'boolean' }, root: { type: 'string' } },
    });
    const { config, finding } = await readConfig(
      context,
      values.config ?? context.environment.AUTOWEAVE_CONFIG ?? null,
    );
    const findings = [finding, ...(await examine({ config, root: values.root ?? '/', nowMs: Date.now() }))];
    context.print(values.json ? `${JSON.stringify(findings, null, 2)}\n` : toText(findings));
    return findings.some(({ verdict }) => verdict === 'fault') ? exitCodes.refused : exitCodes.ok;
  },
};

/** A configuration that is refused is a finding; the rest is looked at as if there were none. */
async function readConfig({ environment }: CommandContext, file: string | null) {
  const check = 'configuration';
  const defaults = loadConfig({ file: null, text: null, environment: {} });
  if (!defaults.ok) throw new Error('the default configuration is refused');
  try {
    const text = file === null ? null : await readConfigFile(file);
    const loaded = loadConfig({ file, text, environment });
    if (loaded.ok)
      return {
        config: loaded.config,
        finding: { check, ...ok(file ?? 'no file: defaults and environment') },
      };
    const why = loaded.problems.map(({ message }) => message).join('; ');
    const remedy = loaded.problems[0]?.remedy ?? 'Correct the file.';
    return { config: defaults.config, finding: { check, ...fault(why, remedy) } };
  } catch (cause) {
    return {
      config: defaults.config,
      finding: { check, ...fault(errorText(cause), 'Name the right file with --config.') },
    };
  }
}

function toText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, verdict, why, remedy }) => [
    `${marks[verdict].padEnd(9)}  ${check.padEnd(13)}  ${why}`,
    ...(remedy === null ? [] : [`${' '.repeat(26)}-> ${remedy}`]),
  ]);
  const faults = findings.filter(({ verdict }) => verdict === 'fault').length;
  return `${lines.map(plainLine).join('\n')}\n\n${faults === 0 ? 'No fault was found.' : `${faults} fault${faults === 1 ? '' : 's'}.`}\n`;
}
