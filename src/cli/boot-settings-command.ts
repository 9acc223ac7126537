// `autoweave boot-settings`: what the image's init scripts run once, before the daemon: which configuration is in force, and the small
// files of the system that follow from it. It always ends with some configuration, so that the bus is watched whatever the file says.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ConfigProblem } from '../config/config-problem.ts';
import { loadConfig } from '../config/load-config.ts';
import { readConfigFile } from '../config/read-config-file.ts';
import { readSecretsFile } from '../config/read-secrets-file.ts';
import type { Config } from '../contracts/config.ts';
import { AppError } from '../lib/app-error.ts';
import { takeCertificates } from '../operate/identity/take-certificate.ts';
import { provisionedNames, textOrNull } from '../operate/import-provision.ts';
import { replaceFile } from '../operate/replace-file.ts';
import { toSystemFiles } from '../operate/system-files/to-system-files.ts';
import { type Command, exitCodes } from './command.ts';
import { plainLine } from './plain-text.ts';
import { provision, takeTrust } from './provision.ts';

/** The parts of a boot note: code, field (or nothing), text. */
type Note = (code: string, field: string, text: string) => void;

interface Request {
  readonly state: string;
  readonly default: string;
  readonly closed: string;
  readonly lost: boolean;
  readonly to: string;
  readonly machine?: string | undefined;
  readonly offered?: string | undefined;
}

interface Chosen {
  readonly origin: 'machine' | 'provisioned' | 'default';
  readonly text: string;
  readonly config: Config;
}

/** In the state folder: what was last taken over from the volume, as it was left there. */
const importedName = 'autoweave.json.imported';
/** Beside the offered settings, as somebody put them on the volume. */
const offeredCertificates = { own: 'identity.crt', authority: 'broker-ca.crt' } as const;

export const bootSettingsCommand: Command = {
  name: 'boot-settings',
  summary: 'Choose the configuration at the start of the appliance; for its init scripts',
  usage: `boot-settings --state DIR --default FILE --closed FILE --to DIR [--machine FILE] [--offered FILE] [--lost]

  --offered FILE   Imported into --state as "autoweave provision" does, if it has changed since it was last; trust.json,
                   identity.crt and broker-ca.crt beside it too
  --machine FILE   What a virtual machine's owner gives; used instead of all others
  --state DIR      What was imported before: in force when nothing, or something wrong, is offered
  --default FILE   In force when nothing was offered and nothing is stored
  --closed FILE    In force when something was, and cannot be used
  --lost           Something was offered or stored that cannot even be read

DIR of --to then has autoweave.json (in force), origin (machine, provisioned or default), hostname, interfaces, page-port,
and where they are set resolv.conf and chrony.conf. On standard error: a line for each thing wrong, with tabs
between code, field and text. Exit code 1 when something was refused.`,
  async run(context) {
    const option = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...context.args],
      options: {
        ...{ state: option, default: option, closed: option, to: option, machine: option, offered: option },
        lost: { type: 'boolean', default: false },
      },
    });
    const { state, default: fallback, closed, to } = values;
    if (state === undefined || fallback === undefined || closed === undefined || to === undefined) {
      context.complain('autoweave boot-settings: --state, --default, --closed and --to are needed.\n');
      return exitCodes.usage;
    }
    let refusals = 0;
    const note: Note = (code, field, text) => {
      refusals += 1;
      context.complain(`${[code, field, text].map((part) => plainLine(part)).join('\t')}\n`);
    };
    const chosen = await choose({ ...values, state, default: fallback, closed, to }, note);
    await mkdir(to, { recursive: true });
    const files = {
      ...toSystemFiles(chosen.config),
      origin: `${chosen.origin}\n`,
      'autoweave.json': chosen.text,
    };
    for (const [name, text] of Object.entries(files))
      await writeFile(path.join(to, name), text, { mode: 0o640 });
    return refusals === 0 ? exitCodes.ok : exitCodes.refused;
  },
};

/** Settings that cannot be used may have kept devices out: only who was given none lets every device work. */
async function choose(request: Request, note: Note): Promise<Chosen> {
  const { machine, offered, state } = request;
  let isRefused = request.lost;
  const refuse: Note = (...parts) => {
    isRefused = true;
    note(...parts);
  };
  const stored = {
    origin: 'provisioned',
    file: path.join(state, provisionedNames.config),
    secrets: path.join(state, provisionedNames.secrets),
  } as const;
  if (machine === undefined && offered !== undefined)
    await takeOffered(offered, { state, stored }, { warn: note, refuse });
  const candidates = [
    ...(machine === undefined ? [] : [{ origin: 'machine', file: machine } as const]),
    ...((await hasText(stored.file, refuse)) ? [stored] : []),
  ];
  for (const candidate of candidates) {
    const loaded = await load(candidate);
    if (loaded.ok) return { origin: candidate.origin, ...loaded };
    sayProblems(loaded.problems, refuse);
  }
  const file = isRefused ? request.closed : request.default;
  const loaded = await load({ file });
  if (loaded.ok) return { origin: 'default', ...loaded };
  sayProblems(loaded.problems, note);
  throw new AppError('cli.no-configuration', `${file} is damaged: write the image again`);
}

/**
 * Settings count once, as long as what came of them is in force: what page or command line changed since then stays. Trust document and
 * certificates are taken at every start.
 */
async function takeOffered(
  offered: string,
  { state, stored }: { readonly state: string; readonly stored: Parameters<typeof load>[0] },
  { warn, refuse }: { readonly warn: Note; readonly refuse: Note },
): Promise<void> {
  try {
    const imported = path.join(state, importedName);
    const isTaken = (await textOrNull(offered)) === (await textOrNull(imported)) && (await load(stored)).ok;
    const result = isTaken
      ? await takeTrust(offered, state)
      : await provision({ from: offered, to: state, forget: false });
    if (!result.ok) return sayProblems(result.problems, refuse);
    for (const warning of result.warnings) warn('warning', '', warning);
    if (!isTaken) await replaceFile(imported, (await textOrNull(offered)) ?? '', { mode: 0o640 });
    const beside = (name: string) => path.join(path.dirname(offered), name);
    await takeCertificates(state, {
      own: beside(offeredCertificates.own),
      authority: beside(offeredCertificates.authority),
    });
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    refuse(cause.code, '', cause.message);
  }
}

async function load(candidate: {
  readonly file: string;
  readonly secrets?: string;
}): Promise<
  | { readonly ok: true; readonly text: string; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }
> {
  const { file } = candidate;
  try {
    const text = await readConfigFile(file);
    const sealed = candidate.secrets === undefined ? null : (await readSecretsFile(candidate.secrets)).text;
    const secrets = sealed === null ? {} : { secrets: { file: candidate.secrets ?? '', text: sealed } };
    // The environment is the daemon's; here only files count.
    const verdict = loadConfig({ file, text, ...secrets, environment: {} });
    return verdict.ok ? { ok: true, text, config: verdict.config } : verdict;
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    const problem = { code: 'config.unreadable', path: '', message: cause.message, remedy: '' } as const;
    return { ok: false, problems: [problem] };
  }
}

async function hasText(file: string, note: Note): Promise<boolean> {
  try {
    return (await textOrNull(file)) !== null;
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    note(cause.code, '', cause.message);
    return false;
  }
}

function sayProblems(problems: readonly ConfigProblem[], note: Note): void {
  for (const { code, path: field, message, remedy } of problems)
    note(code, field, `${message}${remedy === '' ? '' : `. ${remedy}`}`);
}
