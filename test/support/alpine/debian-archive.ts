// Debian's archive for the parts of the test repository: unpacked packages and sources, through apt with folders of its own.
import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Apt, openApt } from '../../../image/base/debian-apt.ts';
import { runCommand } from '../../../image/run-command.ts';
import { keptPart, repositoryCache } from './part-store.ts';

export interface DebianArchive {
  readonly apt: Apt;
  /** All files of these packages, without what they depend on. */
  unpack(names: readonly string[], to: string): Promise<void>;
  /** The folder with the unpacked original source, as its authors published it. */
  source(name: string): Promise<string>;
}

const suite = 'trixie';
const remedy = "check the network and Debian's mirror, and make the repository again";

export async function openDebianArchive(): Promise<DebianArchive> {
  const work = path.join(repositoryCache, 'apt');
  await mkdir(work, { recursive: true });
  await openApt({ work, suite });
  const sources = path.join(work, 'with-sources.sources');
  const own = await readFile(path.join(work, 'sources/base.sources'), 'utf8');
  await writeFile(sources, own.replaceAll(/^Types: deb$/gm, 'Types: deb deb-src'));
  const apt = await openApt({ work, suite, sources });
  const env = { APT_CONFIG: path.join(work, 'apt.conf') };

  return {
    apt,
    async unpack(names, to) {
      const closure = await apt.closureOf(names);
      const wanted = closure.filter(({ name }) => names.includes(name));
      const archives = path.join(repositoryCache, 'debian');
      const missing = wanted.filter(({ file }) => !existsSync(path.join(archives, file)));
      if (missing.length > 0) await apt.download(missing, archives);
      for (const { file } of wanted)
        await runCommand('dpkg-deb', ['--extract', path.join(archives, file), to], { remedy });
    },
    source: (name) =>
      keptPart(`source-${name}`, async (folder) => {
        const listed = await runCommand('apt-get', ['source', '--print-uris', '-qq', name], { env, remedy });
        const [, file = '', sha256 = ''] =
          /^'[^']*' (\S+\.orig\.tar\.\w+) \d+ SHA256:([0-9a-f]{64})$/m.exec(listed) ?? [];
        const downloads = `${folder}.downloads`;
        await mkdir(downloads, { recursive: true });
        // A mirror without one of the small files beside it is good enough: the hash comes from the signed index.
        await runCommand('apt-get', ['source', '--download-only', '-qq', name], {
          cwd: downloads,
          env,
          remedy,
        }).catch((error: Error) => {
          if (!existsSync(path.join(downloads, file))) throw error;
        });
        await runCommand('sha256sum', ['--check', '--status'], {
          cwd: downloads,
          input: `${sha256}  ${file}\n`,
          remedy,
        });
        await runCommand('tar', ['-xf', file, '-C', folder, '--strip-components=1'], {
          cwd: downloads,
          remedy,
        });
        const [debian] = globSync('*.debian.tar.*', { cwd: downloads });
        if (debian !== undefined)
          await runCommand('tar', ['-xf', debian, '-C', folder], { cwd: downloads, remedy });
        await rm(downloads, { recursive: true });
      }),
  };
}
