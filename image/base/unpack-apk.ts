// The files of one Alpine package -> a tree, without its scripts and description. Follows links of the tree (/bin -> usr/bin).
import { runCommand } from '../run-command.ts';

export async function unpackApk(archive: string, root: string): Promise<void> {
  await runCommand(
    'tar',
    [
      ...['--extract', '--gzip', '--file', archive, '--directory', root],
      ...[
        '--keep-directory-symlink',
        '--no-same-owner',
        '--no-overwrite-dir',
        '--warning=no-unknown-keyword',
      ],
      // In front of the files: the signature, the description and the scripts.
      ...['--anchored', '--no-wildcards-match-slash', '--exclude=.SIGN.*', '--exclude=.PKGINFO'],
      ...['pre', 'post'].flatMap((when) =>
        ['install', 'upgrade', 'deinstall'].map((what) => `--exclude=.${when}-${what}`),
      ),
      '--exclude=.trigger',
    ],
    { from: 'tar', remedy: 'delete the file so that it is downloaded again' },
  );
}
