// An author's folder -> the bytes of its `.awp`: code bundled into one module, assets, bill of materials. Used by build, and by dev.
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { sbomPath } from '../../bundle/bundle-limits.ts';
import { type PackVerdict, packBundle } from '../../bundle/pack-bundle.ts';
import { type SbomPackage, sbomText } from '../../bundle/sbom.ts';
import { PluginSource } from '../../contracts/plugin-source.ts';
import { errorText } from '../../lib/error-text.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import { cliError, orThrow } from '../cli-error.ts';
import { readText } from '../input-files.ts';
import { type EsbuildResult, findEsbuild, messagesOf } from './find-esbuild.ts';
import { sourceMapText } from './source-map.ts';

const entry = 'plugin.mjs';
const checkSource = schemaCheck(PluginSource);

export type BuiltPlugin = Extract<PackVerdict, { readonly ok: true }> & {
  /** Stays with the author: what is signed and shipped has none, so that no appliance pays for it. */
  readonly sourceMap: string;
};

/** @throws AppError with a code of cli, bundle or trust; its message names the file and the field. */
export async function buildPlugin(dir: string): Promise<BuiltPlugin> {
  const { main = 'src/plugin.ts', assets, $schema: _, ...authored } = await readSource(dir);
  const built = await bundleCode(dir, main);
  const code = built.outputFiles.find((file) => file.path.endsWith(entry));
  const map = built.outputFiles.find((file) => file.path.endsWith(`${entry}.map`));
  if (code === undefined || map === undefined)
    throw cliError('cli.build-failed', `build ${dir}: the bundler made no file`);
  const members = new Map<string, Uint8Array>([[entry, code.contents]]);
  for (const [name, bytes] of await readAssets(dir, assets)) members.set(name, bytes);
  const packages = await packagesOf(dir, Object.keys(built.metafile.inputs));
  members.set(sbomPath, Buffer.from(sbomText(authored, packages)));
  const packed = orThrow(packBundle({ manifestVersion: 1, ...authored, entry }, members), dir);
  return { ...packed, sourceMap: sourceMapText(map.contents, packed.manifest) };
}

async function readSource(dir: string): Promise<PluginSource> {
  const file = path.join(dir, 'plugin.json');
  let value: unknown;
  try {
    value = JSON.parse(await readText(file));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw cliError('cli.build-failed', `read ${file}: it is not JSON (${cause.message})`, cause);
  }
  const checked = checkSource(value);
  if (checked.ok) return checked.value;
  const all = checked.problems.map(({ path: field, message }) => `${field === '' ? 'it' : field} ${message}`);
  throw cliError('cli.build-failed', `read ${file}: ${all.join('; ')}`);
}

async function bundleCode(dir: string, main: string): Promise<EsbuildResult> {
  const esbuild = await findEsbuild(dir);
  try {
    return await esbuild.build({
      // Paths in the result are relative to it: the same source gives the same bytes wherever it lies.
      absWorkingDir: path.resolve(dir),
      entryPoints: [main],
      outfile: entry,
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      charset: 'utf8',
      legalComments: 'none',
      sourcemap: 'external',
      sourcesContent: false,
      logLevel: 'silent',
    });
  } catch (cause) {
    const told = messagesOf(cause).map(({ text, location }) =>
      location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`,
    );
    const why = told.length === 0 ? errorText(cause) : told.join('\n  ');
    throw cliError('cli.build-failed', `build ${path.join(dir, main)}: ${why}`, cause);
  }
}

async function readAssets(dir: string, named: string | undefined) {
  const folder = path.join(dir, named ?? 'assets');
  const isThere = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isThere) {
    if (named === undefined) return [];
    throw cliError('cli.unreadable', `read the assets of ${dir}: there is no folder ${folder}`);
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: (readonly [string, Uint8Array])[] = [];
  for (const each of entries) {
    if (each.isDirectory()) continue;
    const file = path.join(each.parentPath, each.name);
    if (!each.isFile())
      throw cliError(
        'cli.unreadable',
        `read ${file}: assets are plain files; replace the link or device by one`,
      );
    const relative = path.relative(folder, file).split(path.sep).join('/');
    found.push([`assets/${relative}`, await readFile(file)]);
  }
  return found;
}

/** Those packages of which a file went into the code. */
async function packagesOf(dir: string, inputs: readonly string[]): Promise<readonly SbomPackage[]> {
  const folders = inputs.map((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  const packages = new Map<string, SbomPackage>();
  for (const folder of new Set(folders.filter((each) => each !== undefined))) {
    const text = await readText(path.resolve(dir, folder, 'package.json'));
    const { name, version, license } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const entry = {
      name: String(name),
      version: String(version),
      license: typeof license === 'string' ? license : 'NOASSERTION',
    };
    packages.set(`${entry.name}@${entry.version}`, entry);
  }
  return [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}
