// `npm run image -- [--base debian] [--out DIR] [--fast]`: packages and sources -> a compressed disk image that a computer with
// UEFI boots, its bill of materials and checksums. Nothing needs root; run again, it goes on where it stopped.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundle } from '../src/workbench/build-bundle.ts';
import type { Architecture, BaseProvider } from './base/base-provider.ts';
import { baseNames, baseProvider, isBaseName } from './base/base-providers.ts';
import boot from './boot.json' with { type: 'json' };
import { placesOf } from './build.ts';
import { type BuildRootOptions, rootSteps, runBuild, treeSteps } from './build-root.ts';
import { ImageError } from './image-error.ts';
import { ociArchive } from './steps/81-oci.ts';
import { uki } from './steps/91-uki.ts';
import { esp } from './steps/92-esp.ts';
import { configPartition } from './steps/93-config.ts';
import { disk } from './steps/94-disk.ts';
import { sbom } from './steps/95-sbom.ts';
import { compress } from './steps/96-compress.ts';
import { checksums } from './steps/97-checksums.ts';
import { type SignOptions, sign, signatureOf } from './steps/98-sign.ts';

export interface BuiltImage {
  /** The compressed disk, or the container archive. */
  readonly handedOut: string;
  readonly sbom: string;
  readonly checksums: string;
  /** null: nobody signed. */
  readonly signature: string | null;
}

const diskSteps = [...rootSteps, uki, esp, configPartition, disk];

/** The disk alone, uncompressed: what a test boots. */
export async function buildDisk(options: BuildRootOptions): Promise<string> {
  return placesOf(await runBuild({ ...options, release: options.out }, diskSteps)).disk;
}

/** @param options.out the folder of what is handed out; everything in between is kept in its folder `work`. */
export async function buildImage(
  options: BuildRootOptions & { readonly sign?: SignOptions },
): Promise<BuiltImage> {
  await mkdir(options.out, { recursive: true });
  const isContainer = options.format === 'oci';
  const layers = [...(isContainer ? ['image/oci-layer'] : []), ...(options.layers ?? [])];
  const out = path.join(options.out, isContainer ? 'work-oci' : 'work');
  const build = await runBuild({ ...options, layers, release: options.out, out }, [
    ...(isContainer ? [...treeSteps, ociArchive] : diskSteps),
    sbom,
    ...(isContainer ? [] : [compress]),
    checksums,
    ...(options.sign === undefined ? [] : [sign(options.sign)]),
  ]);
  // What an earlier build signed is not what lies here now.
  if (options.sign === undefined) await rm(signatureOf(build), { force: true });
  const { handedOut, sbom: bill, checksums: sums } = placesOf(build);
  const signature = options.sign === undefined ? null : signatureOf(build);
  return { handedOut, sbom: bill, checksums: sums, signature };
}

const architectures = Object.keys(boot.architectures);
const usage = `Usage: npm run image -- [lock] [--base ${baseNames.join('|')}] [--arch ${architectures.join('|')}] [--out DIR] [--fast]
  [--format disk|oci] [--sign-key KEY [--sign-password-file FILE]]
  base debian: [--suite NAME] [--sources FILE]
  base alpine: [--mirror URL] [--keys DIR] [--lock FILE]; \`lock\` chooses packages anew and writes the lock file`;

async function main(): Promise<void> {
  const repository = path.resolve(import.meta.dirname, '..');
  const say = (line: string) => console.log(`image: ${line}`);
  const began = performance.now();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      base: { type: 'string', default: 'debian' },
      arch: { type: 'string', default: process.arch },
      out: { type: 'string', default: path.join(repository, 'out/image') },
      fast: { type: 'boolean', default: false },
      format: { type: 'string', default: 'disk' },
      suite: { type: 'string' },
      sources: { type: 'string' },
      'sign-key': { type: 'string' },
      'sign-password-file': { type: 'string' },
      mirror: { type: 'string' },
      keys: { type: 'string' },
      lock: { type: 'string' },
    },
  });
  const [action = 'build', ...more] = positionals;
  if (more.length > 0 || !['build', 'lock'].includes(action))
    throw Object.assign(new Error(`there is no action ${positionals.join(' ')}`), {
      code: 'ERR_PARSE_ARGS_ACTION',
    });
  if (!isBaseName(values.base))
    throw new ImageError(
      'image.host-unsuitable',
      `choose the base: there is none named ${values.base}; there is ${baseNames.join(', ')}`,
    );
  const architecture = toArchitecture(values.arch);
  if (action === 'lock') {
    const base = baseProvider(values.base, { ...values, architecture, locking: 'refresh' });
    const packages = await chooseAnew(base, repository);
    say(
      `locked ${packages.length} packages for ${base.name} ${architecture}; look at the changes of the lock file, then keep it`,
    );
    return;
  }
  refuseOtherArchitecture(architecture);
  const { format } = values;
  if (format !== 'disk' && format !== 'oci')
    throw new ImageError(
      'image.host-unsuitable',
      `choose the format: there is none named ${format}; there are disk and oci`,
    );
  const { SOURCE_DATE_EPOCH: epoch } = process.env;
  const { 'sign-key': key, 'sign-password-file': lock } = values;
  const built = await buildImage({
    base: baseProvider(values.base, { ...values, architecture }),
    out: path.resolve(values.out),
    runtime: buildBundle(repository, say),
    compression: values.fast ? 'fast' : 'small',
    format,
    ...(key === undefined
      ? {}
      : { sign: { keyFile: key, ...(lock === undefined ? {} : { passwordFile: lock }) } }),
    ...(epoch === undefined ? {} : { epochSeconds: Number(epoch) }),
    report: say,
  });
  say(`done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  for (const file of [built.handedOut, built.sbom, built.checksums, built.signature])
    if (file !== null) say(path.relative(process.cwd(), file));
}

/** Programs of the new root run while it is built, and npm brings Node and the addon for this machine alone. */
function refuseOtherArchitecture(arch: Architecture): void {
  if (arch !== process.arch)
    throw new ImageError(
      'image.host-unsuitable',
      `choose the architecture: this machine is ${process.arch}, and programs of the image run while it is built; build on ${arch}, or in a virtual machine of it`,
    );
}

function toArchitecture(name: string): Architecture {
  if (name === 'x64' || name === 'arm64') return name;
  throw new ImageError(
    'image.host-unsuitable',
    `choose the architecture: there is none named ${name}; there is ${architectures.join(', ')}`,
  );
}

function chooseAnew(base: BaseProvider, repository: string) {
  if (base.libc !== 'musl')
    throw new ImageError(
      'image.host-unsuitable',
      `choose packages for ${base.name}: only the base alpine has a lock file; add --base alpine`,
    );
  const work = path.join(repository, '.cache/image', `${base.name}-lock-${base.architecture}`);
  return base.fetch({ archives: path.join(work, 'archives'), work });
}

if (import.meta.main)
  await main().catch((error: Error) => {
    const isUsage = 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
    console.error(`image: ${error.message}${isUsage ? `\n${usage}` : ''}`);
    process.exitCode = error instanceof ImageError ? error.exitCode : isUsage ? 2 : 1;
  });
