// What an Alpine package says about its terms: its own description has an SPDX expression, or words that are none.
import { runCommand } from '../run-command.ts';
import type { PackageLicenses } from './base-provider.ts';

/** Ids and operators of an expression, https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/ */
const expression = /^\(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*( (AND|OR|WITH) \(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*)*$/;

export async function alpineLicenses(archive: string): Promise<PackageLicenses | undefined> {
  const info = await runCommand(
    'tar',
    [
      '--extract',
      '--gzip',
      '--to-stdout',
      '--occurrence=1',
      '--warning=no-unknown-keyword',
      '--file',
      archive,
      '.PKGINFO',
    ],
    { from: 'tar', remedy: 'delete the file so that it is downloaded again' },
  );
  return parseAlpineLicense(info);
}

export function parseAlpineLicense(info: string): PackageLicenses | undefined {
  const said = /^license = (.+)$/m.exec(info)?.[1]?.trim() ?? '';
  // Older packages list several with blanks between them.
  return expression.test(said) ? { expression: said, references: {} } : undefined;
}
