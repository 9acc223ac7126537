// Runs apko, which chooses packages with all they depend on from indexes whose signatures it checks. Which apko: the one named by the
// variable APKO, or the one that image/apko/go.mod pins with all its sources, built once with Go into the cache.
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ImageError, type ImageErrorCode } from '../image-error.ts';
import { missingTools } from '../missing-tools.ts';
import { runCommand } from '../run-command.ts';
import type { AlpineKey } from './alpine-keys.ts';

export interface World {
  /** Folders `…/v3.23/main`. */
  readonly repositories: readonly string[];
  readonly keys: readonly AlpineKey[];
  /** `x86_64` */
  readonly architecture: string;
  /** `name` or `name=version` */
  readonly packages: readonly string[];
}

export interface Chosen {
  readonly name: string;
  readonly version: string;
  /** The package's file. */
  readonly source: string;
}

const sources = path.resolve(import.meta.dirname, '../apko');
const cache = path.resolve(import.meta.dirname, '../../.cache/image/apko');

/** Why this machine has no apko, or undefined. */
export function whyNoApko(): string | undefined {
  if (process.env.APKO !== undefined || existsSync(built()) || missingTools(['go']).length === 0)
    return undefined;
  return 'there is no apko: install Go 1.25 or newer, or set APKO to the program';
}

function built(): string {
  return path.join(cache, 'apko');
}

async function apkoProgram(): Promise<string> {
  const { APKO: named } = process.env;
  if (named !== undefined) return named;
  const missing = whyNoApko();
  if (missing !== undefined) throw new ImageError('image.tool-missing', `choose packages: ${missing}`);
  if (existsSync(built())) return built();
  await mkdir(cache, { recursive: true });
  await runCommand('go', ['build', '-trimpath', '-o', `${built()}.part`, 'chainguard.dev/apko'], {
    cwd: sources,
    env: { GOFLAGS: '-mod=readonly' },
    remedy: 'Go 1.25 or newer and its module proxy are needed once; or set APKO to the program',
  });
  await runCommand('mv', [`${built()}.part`, built()], { remedy: 'free space and build again' });
  return built();
}

export async function choosePackages(world: World, work: string): Promise<readonly Chosen[]> {
  await mkdir(work, { recursive: true });
  const config = path.join(work, 'apko.json');
  const contents = {
    repositories: world.repositories,
    keyring: world.keys.map(({ file }) => file),
    packages: world.packages,
  };
  await writeFile(config, JSON.stringify({ contents }));
  // An index of an earlier run must not stand in for today's.
  const cacheDir = path.join(work, 'apko-cache');
  await rm(cacheDir, { recursive: true, force: true });
  const program = await apkoProgram();
  const format = '{{.Name}} {{.Version}} {{.Source}}';
  const args = [
    '--arch',
    world.architecture,
    '--cache-dir',
    cacheDir,
    '--offline',
    '--format',
    format,
    config,
  ];
  let printed: string;
  try {
    printed = await runCommand(program, ['show-packages', ...args], { remedy: '' });
  } catch (error) {
    throw toRefusal(error);
  }
  return printed
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', version = '', source = ''] = line.split(' ');
      return { name, version, source };
    });
}

/** What apko 0.30 says -> our code and what to do. */
const refusals: readonly (readonly [RegExp, ImageErrorCode, string])[] = [
  [
    /no signature with known key \(one of: \[.*\]\)/,
    'image.key-unknown',
    'the index is signed by a key that is not trusted; choose another mirror, or pin the key in image/packages/alpine.json (or --keys) after you have checked it',
  ],
  [
    /signature verification failed for repository index|failed to find key name in signature file name|unable to create gzip reader|unexpected error reading from tgz|unable to read convert/,
    'image.index-damaged',
    'the index is not signed, or was changed after it was signed; choose another mirror, and tell the owner of this one',
  ],
  [
    /solving "([^"]+)" constraint|nothing provides "([^"]+)"/,
    'image.package-missing',
    'this release has no such package or version; correct image/packages/alpine.json, or run npm run image -- lock when only versions have moved on',
  ],
];

function toRefusal(error: unknown): unknown {
  if (!(error instanceof ImageError) || error.code !== 'image.command-failed') return error;
  for (const [pattern, code, remedy] of refusals) {
    const found = pattern.exec(error.message);
    if (found !== null)
      return new ImageError(code, `choose packages: ${found[1] ?? found[2] ?? found[0]}: ${remedy}`, {
        cause: error,
        exitCode: error.exitCode,
      });
  }
  return error;
}
