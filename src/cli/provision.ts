// A file that somebody filled in -> settings, secrets and identity in the state folder; refused whole, or taken whole.
import path from 'node:path';
import type { ConfigProblem } from '../config/config-problem.ts';
import { keepSecrets } from '../config/keep-secrets.ts';
import { loadConfig } from '../config/load-config.ts';
import { parseConfigText } from '../config/parse-config-text.ts';
import { readConfigFile } from '../config/read-config-file.ts';
import { readSecretsFile } from '../config/read-secrets-file.ts';
import { type Secrets, splitSecrets } from '../config/split-secrets.ts';
import type { Config } from '../contracts/config.ts';
import { ensureIdentity, type Identity } from '../operate/identity/ensure-identity.ts';
import { importProvision, provisionedNames, textOrNull } from '../operate/import-provision.ts';
import { planTrust, putTrustInForce, readTrustInForce } from '../operate/trust-in-force.ts';
import { readTrustFile } from '../trust/read-trust-file.ts';

export type Provisioned =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly identity: Identity;
      readonly written: readonly string[];
      /** What a person should know besides, a sentence each. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** @throws AppError when a file cannot be read or written. */
export async function provision(request: {
  readonly from: string;
  readonly to: string;
  /** Keep no secrets of an earlier import. */
  readonly forget: boolean;
}): Promise<Provisioned> {
  const { from, to, forget } = request;
  const split = splitSecrets({ file: from, text: await readConfigFile(from) });
  if (!split.ok) return split;
  const trust = await planProvisionedTrust(from, to);
  if (trust.problem !== null) return { ok: false, problems: [trust.problem] };
  const before = forget ? { config: null, sealed: {}, warning: null } : await readBefore(to);
  const { secrets, dropped } = keepSecrets({
    sealed: before.sealed,
    before: before.config,
    after: split.config,
    fresh: split.secrets,
  });
  const identity = await ensureIdentity(to, split.config.appliance);
  const trustFile = trust.text === null ? [] : [await putTrustInForce(to, trust.text)];
  const hasSecrets = Object.keys(split.secrets).length > 0;
  const written = await importProvision({
    dir: to,
    configText: split.publicText,
    secretsText: `${JSON.stringify(secrets, null, 2)}\n`,
    cleaned: hasSecrets ? { file: from, text: split.publicText } : null,
  });
  const forgotten = dropped.map(
    (field) =>
      `${field} was sealed for another broker or account and is forgotten: write it into ${from} again if it is needed.`,
  );
  const warnings = [...(before.warning === null ? [] : [before.warning]), ...forgotten];
  return { ok: true, config: split.config, identity, written: [...trustFile, ...written], warnings };
}

/** Of what lies beside a file whose settings were taken before: the trust document alone. */
export async function takeTrust(
  from: string,
  to: string,
): Promise<
  | { readonly ok: true; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }
> {
  const { problem, text } = await planProvisionedTrust(from, to);
  if (problem !== null) return { ok: false, problems: [problem] };
  if (text !== null) await putTrustInForce(to, text);
  return { ok: true, warnings: [] };
}

/** trust.json beside the file: a first document, which provisioning vouches for, or the next one. Nobody need take it away afterwards. */
async function planProvisionedTrust(
  from: string,
  to: string,
): Promise<{ readonly text: string | null; readonly problem: ConfigProblem | null }> {
  const file = path.join(path.dirname(from), 'trust.json');
  const text = await textOrNull(file);
  if (text === null) return { text: null, problem: null };
  const next = await planTrust(to, text, { first: false });
  const plan =
    !next.ok && next.code === 'trust.document-missing' ? await planTrust(to, text, { first: true }) : next;
  if (plan.ok) return { text: plan.isNew ? text : null, problem: null };
  // Left there since an earlier version, which has handed over since.
  if (await isPast(to, text)) return { text: null, problem: null };
  return {
    text: null,
    problem: {
      code: 'config.not-allowed',
      path: '',
      message: `${file} cannot be taken over: ${plan.reason} (${plan.code})`,
      remedy: 'Put the next signed trust document there, or take the file away.',
    },
  };
}

async function isPast(to: string, text: string): Promise<boolean> {
  const [current, old] = [await readTrustInForce(to), readTrustFile(text)];
  return current.ok && old.ok && old.file.document.version < current.document.version;
}

async function readBefore(dir: string): Promise<{
  readonly config: Config | null;
  readonly sealed: Secrets;
  readonly warning: string | null;
}> {
  const file = path.join(dir, provisionedNames.config);
  const text = await textOrNull(file);
  const verdict = text === null ? null : loadConfig({ file, text, environment: {} });
  const secretsFile = path.join(dir, provisionedNames.secrets);
  const { text: secretsText, warning } = await readSecretsFile(secretsFile);
  const parsed = secretsText === null ? null : parseConfigText(secretsText, secretsFile);
  return {
    config: verdict?.ok === true ? verdict.config : null,
    sealed: parsed?.ok === true ? sectionsOf(parsed.value) : {},
    warning,
  };
}

function sectionsOf(value: Readonly<Record<string, unknown>>): Secrets {
  return Object.fromEntries(
    Object.entries(value).filter(([, content]) => typeof content === 'object' && content !== null),
  ) as Secrets;
}
