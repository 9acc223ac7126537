// The trust document in force, a file in the state folder -> read, and handed over to the next version. Runs in the daemon and in
// `autoweave provision`.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { errorText } from '../lib/error-text.ts';
import { acceptFirstTrust, acceptNextTrust, type TrustedDocument } from '../trust/accept-trust.ts';
import { refuse, type TrustRefusal } from '../trust/trust-refusal.ts';
import { ownerOf, textOrNull } from './import-provision.ts';
import { OperateError } from './operate-error.ts';
import { replaceFile } from './replace-file.ts';

export type TrustInForce =
  | { readonly ok: true; readonly document: TrustedDocument; readonly text: string }
  | TrustRefusal;

/** What a document would do here; `isNew` false: it is in force already. */
export type TrustPlan =
  | {
      readonly ok: true;
      readonly document: TrustedDocument;
      readonly before: number | null;
      readonly isNew: boolean;
    }
  | TrustRefusal;

/** @throws OperateError `operate.unreadable` */
export async function readTrustInForce(stateDir: string): Promise<TrustInForce> {
  const file = fileIn(stateDir);
  const text = await textOrNull(file);
  if (text === null)
    return refuse(
      'trust.document-missing',
      `no publisher is trusted: there is no ${file}; the first trust document comes with flashing, provisioning or \`autoweave trust install --first\``,
    );
  const accepted = await acceptFirstTrust(text);
  return accepted.ok ? { ok: true, document: accepted.document, text } : accepted;
}

/**
 * `first`: who asks vouches for a first document; it never replaces one. Without it only the next version of what is in force counts.
 * @throws OperateError `operate.unreadable`
 */
export async function planTrust(
  stateDir: string,
  text: string,
  { first }: { readonly first: boolean },
): Promise<TrustPlan> {
  const current = await readTrustInForce(stateDir);
  if (!current.ok) {
    if (current.code !== 'trust.document-missing') return current;
    if (!first) return current;
    const accepted = await acceptFirstTrust(text);
    return accepted.ok ? { ...accepted, before: null, isNew: true } : accepted;
  }
  const { document } = current;
  if (current.text === text) return { ok: true, document, before: document.version, isNew: false };
  if (first)
    return refuse(
      'trust.document-present',
      `take a first trust document: version ${document.version} is in force; only a version that its root keys signed comes after it`,
    );
  const accepted = await acceptNextTrust(document, text);
  return accepted.ok ? { ...accepted, before: document.version, isNew: true } : accepted;
}

/** Of a text that `planTrust` has accepted. Whole or not at all, also after a power cut. @throws OperateError `operate.write-failed` */
export async function putTrustInForce(stateDir: string, text: string): Promise<string> {
  const file = fileIn(stateDir);
  let owner: Awaited<ReturnType<typeof ownerOf>>;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
    owner = await ownerOf(stateDir);
  } catch (cause) {
    throw new OperateError(
      'operate.write-failed',
      `cannot write ${file}: ${errorText(cause)}; check space and permissions`,
      { cause },
    );
  }
  await replaceFile(file, text, { mode: 0o644, ...owner });
  return file;
}

function fileIn(stateDir: string): string {
  return path.join(stateDir, 'trust', 'trust.json');
}
