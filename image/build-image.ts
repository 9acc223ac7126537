// `npm run image -- [--base debian] [--out DIR] [--small]`: packages and sources -> a compressed disk image that a computer with
// UEFI boots, its bill of materials and checksums. Nothing needs root; run again, it goes on where it stopped.
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundle } from '../src/workbench/build-bundle.ts';
import { baseNames, baseProvider, isBaseName } from './base/base-providers.ts';
import { placesOf } from './build.ts';
import { type BuildRootOptions, rootSteps, runBuild } from './build-root.ts';
import { ImageError } from './image-error.ts';
import { uki } from './steps/91-uki.ts';
import { esp } from './steps/92-esp.ts';
import { configPartition } from './steps/93-config.ts';
import { disk } from './steps/94-disk.ts';
import { sbom } from './steps/95-sbom.ts';
import { compress } from './steps/96-compress.ts';
import { checksums } from './steps/97-checksums.ts';
import { type SignOptions, sign, signatureOf } from './steps/98-sign.ts';

export interface BuiltImage {
  /** Uncompressed, for a virtual machine. */
  readonly disk: string;
  readonly compressed: string;
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
  const build = await runBuild({ ...options, release: options.out, out: path.join(options.out, 'work') }, [
    ...diskSteps,
    sbom,
    compress,
    checksums,
    ...(options.sign === undefined ? [] : [sign(options.sign)]),
  ]);
  // What an earlier build signed is not what lies here now.
  if (options.sign === undefined) await rm(signatureOf(build), { force: true });
  const { disk: image, compressed, sbom: bill, checksums: sums } = placesOf(build);
  const signature = options.sign === undefined ? null : signatureOf(build);
  return { disk: image, compressed, sbom: bill, checksums: sums, signature };
}

const usage = `Usage: npm run image -- [--base ${baseNames.join('|')}] [--out DIR] [--small] [--suite NAME] [--sources FILE] [--sign-key KEY [--sign-password-file FILE]]`;

async function main(): Promise<void> {
  const repository = path.resolve(import.meta.dirname, '..');
  const say = (line: string) => console.log(`image: ${line}`);
  const began = performance.now();
  const { values } = parseArgs({
    options: {
      base: { type: 'string', default: 'debian' },
      out: { type: 'string', default: path.join(repository, 'out/image') },
      small: { type: 'boolean', default: false },
      suite: { type: 'string' },
      sources: { type: 'string' },
      'sign-key': { type: 'string' },
      'sign-password-file': { type: 'string' },
    },
  });
  if (!isBaseName(values.base))
    throw new ImageError(
      'image.host-unsuitable',
      `choose the base: there is none named ${values.base}; there is ${baseNames.join(', ')}`,
    );
  const { SOURCE_DATE_EPOCH: epoch } = process.env;
  const { 'sign-key': key, 'sign-password-file': lock } = values;
  const built = await buildImage({
    base: baseProvider(values.base, values),
    out: path.resolve(values.out),
    runtime: buildBundle(repository, say),
    compression: values.small ? 'small' : 'fast',
    ...(key === undefined
      ? {}
      : { sign: { keyFile: key, ...(lock === undefined ? {} : { passwordFile: lock }) } }),
    ...(epoch === undefined ? {} : { epochSeconds: Number(epoch) }),
    report: say,
  });
  say(`done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  for (const file of [built.compressed, built.sbom, built.checksums, built.signature])
    if (file !== null) say(path.relative(process.cwd(), file));
}

if (import.meta.main)
  await main().catch((error: Error) => {
    const isUsage = 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
    console.error(`image: ${error.message}${isUsage ? `\n${usage}` : ''}`);
    process.exitCode = error instanceof ImageError ? error.exitCode : isUsage ? 2 : 1;
  });
