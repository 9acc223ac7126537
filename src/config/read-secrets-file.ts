// The sealed secrets as text. Without them the bus is still watched: a missing or damaged file is no reason not to start.
import { AppError } from '../lib/app-error.ts';
import { parseConfigText } from './parse-config-text.ts';
import { readConfigFile } from './read-config-file.ts';

export async function readSecretsFile(
  file: string,
): Promise<{ readonly text: string | null; readonly warning: string | null }> {
  try {
    const text = await readConfigFile(file);
    const parsed = parseConfigText(text, file);
    if (parsed.ok) return { text, warning: null };
    return { text: null, warning: withoutSecrets(parsed.problems[0]?.message ?? `${file} is damaged`) };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    // Nothing was ever sealed.
    if (isMissing(cause.cause)) return { text: null, warning: null };
    return { text: null, warning: withoutSecrets(cause.message) };
  }
}

function withoutSecrets(why: string): string {
  return `going on without the sealed secrets: ${why}; write them into the provisioning file again`;
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
