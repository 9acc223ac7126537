// apt with folders of its own: the machine's package state is neither read nor changed, its sources and credentials are used.
import { globSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ImageError } from '../image-error.ts';
import { runCommand } from '../run-command.ts';

export interface AptPackage {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface Apt {
  /** The packages and all they depend on, without recommendations; as on a machine where nothing is installed. */
  closureOf(names: readonly string[]): Promise<readonly AptPackage[]>;
  dependsOf(name: string): Promise<readonly string[]>;
  download(packages: readonly AptPackage[], to: string): Promise<void>;
}

export interface AptOptions {
  readonly work: string;
  readonly suite: string;
  /** A deb822 file instead of the machine's sources. */
  readonly sources?: string | undefined;
}

export async function openApt({ work, suite, sources }: AptOptions): Promise<Apt> {
  const config = path.join(work, 'apt.conf');
  const etc = path.join(work, 'sources');
  for (const folder of ['none', 'sources', 'state/lists/partial', 'cache/archives/partial'])
    await mkdir(path.join(work, folder), { recursive: true });
  await writeFile(path.join(work, 'state/status'), '');
  await writeFile(
    path.join(etc, 'base.sources'),
    sources === undefined ? await machineSources(suite) : await readFile(sources, 'utf8'),
  );
  await writeFile(config, configText(work));
  const env = { APT_CONFIG: config };
  const apt = (tool: string, args: readonly string[], remedy: string) =>
    runCommand(tool, args, { env, remedy, from: 'apt' });

  try {
    await apt('apt-get', ['update', '-q'], '');
  } catch (cause) {
    throw new ImageError(
      'image.packages-unreachable',
      `read the package index of ${suite}: ${cause instanceof Error ? cause.message.split(';')[0] : cause}; ` +
        'set --sources to a deb822 file with a mirror that has it, or --suite to a release the mirror has',
      { cause, exitCode: cause instanceof ImageError ? cause.exitCode : 1 },
    );
  }

  return {
    async closureOf(names) {
      const printed = await apt(
        'apt-get',
        ['install', '-qq', '--print-uris', ...names],
        'a package of packages/debian.json is not in this release; correct the list or choose another --suite',
      );
      const found = printed.split('\n').flatMap(toPackage).sort(byName);
      if (found.length > 0) return found;
      throw new ImageError(
        'image.packages-unreachable',
        `choose packages: apt listed no file with a SHA-256 for ${names.join(', ')}; check the sources of the release`,
      );
    },
    async dependsOf(name) {
      const printed = await apt('apt-cache', ['depends', '--important', name], 'correct the kernel package');
      return [...printed.matchAll(/^\s*Depends: (\S+)$/gm)].map((match) => match[1] ?? '');
    },
    async download(packages, to) {
      await mkdir(to, { recursive: true });
      const wanted = packages.map(({ name, version }) => `${name}=${version}`);
      const remedy = 'check the network and build again; what was downloaded is kept';
      await runCommand('apt-get', ['download', '-q', ...wanted], { cwd: to, env, remedy, from: 'apt' });
      // apt names the file after the version with its epoch escaped; the list has the mirror's name.
      for (const { name, version, file } of packages) {
        const [found] = globSync(`${name}_${version.replaceAll(':', '%3a')}_*.deb`, { cwd: to });
        if (found !== undefined && found !== file) await rename(path.join(to, found), path.join(to, file));
      }
    },
  };
}

function configText(work: string): string {
  const entries = {
    'Dir::State': path.join(work, 'state'),
    'Dir::State::status': path.join(work, 'state/status'),
    'Dir::Cache': path.join(work, 'cache'),
    'Dir::Etc::sourcelist': path.join(work, 'none.list'),
    'Dir::Etc::sourceparts': path.join(work, 'sources'),
    'Dir::Etc::preferencesparts': path.join(work, 'none'),
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::ForceHash': 'SHA256',
    'Acquire::Retries': '3',
  };
  return Object.entries(entries)
    .map(([key, value]) => `${key} "${value}";\n`)
    .join('');
}

/** `'URI' name_version_arch.deb size SHA256:…` -> package; any other line -> nothing. */
function toPackage(line: string): readonly AptPackage[] {
  const match = /^'[^']*' (([^_\s]+)_([^_\s]+)_[^_\s]+\.deb) (\d+) SHA256:([0-9a-f]{64})$/.exec(line);
  if (match === null) return [];
  const [, file = '', name = '', version = '', size = '0', sha256 = ''] = match;
  return [{ name, version: decodeURIComponent(version), file, sizeBytes: Number(size), sha256 }];
}

function byName(a: AptPackage, b: AptPackage): number {
  return a.name < b.name ? -1 : 1;
}

/** The machine's own Debian sources with the release's name replaced; sources of other publishers are left out. */
async function machineSources(suite: string): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME=(\S+)/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || codename === undefined)
    throw new ImageError(
      'image.host-unsuitable',
      "take Debian's packages: this machine is not Debian, so its apt sources do not have them; set --sources to a deb822 file",
    );
  const own = new RegExp(`\\b${codename}(?=$|[\\s/-])`, 'g');
  const texts = await Promise.all(
    ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*.{sources,list}')].map((file) =>
      readFile(file, 'utf8').then(
        (text) => (file.endsWith('.list') ? toDeb822(text) : text),
        () => '',
      ),
    ),
  );
  const stanzas = texts
    .flatMap((text) => text.split(/\n\s*\n/))
    .filter((stanza) => new RegExp(`^Suites:.*\\b${codename}(?:$|[\\s-])`, 'm').test(stanza))
    .map((stanza) => stanza.replace(/^Suites:.*$/m, (line) => line.replace(own, suite)));
  if (stanzas.length > 0) return `${stanzas.join('\n\n')}\n`;
  throw new ImageError(
    'image.host-unsuitable',
    `take Debian's packages: /etc/apt has no source for ${codename}; set --sources to a deb822 file`,
  );
}

/** One-line entries -> deb822 stanzas; options in brackets other than signed-by are not carried over. */
function toDeb822(list: string): string {
  return [...list.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/gm)]
    .map(([, brackets = '', uri = '', suites = '', components = '']) => {
      const signedBy = /signed-by=(\S+)/.exec(brackets)?.[1];
      const key = signedBy === undefined ? '' : `\nSigned-By: ${signedBy}`;
      return `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: ${components}${key}`;
    })
    .join('\n\n');
}
