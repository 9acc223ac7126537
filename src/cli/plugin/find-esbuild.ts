// The bundler of the author's project, or the one beside this program: it is a large native program, and the appliance does not carry it.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { cliError } from '../cli-error.ts';

/** What is used of esbuild. */
export interface Esbuild {
  build(options: EsbuildOptions): Promise<EsbuildResult>;
}

export interface EsbuildOptions {
  readonly absWorkingDir: string;
  readonly entryPoints: readonly string[];
  readonly outfile: string;
  readonly bundle: true;
  readonly write: false;
  readonly metafile: true;
  readonly platform: 'node';
  readonly format: 'esm';
  readonly target: string;
  readonly charset: 'utf8';
  readonly legalComments: 'none';
  readonly sourcemap: 'external';
  readonly sourcesContent: false;
  readonly logLevel: 'silent';
}

export interface EsbuildResult {
  readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[];
  readonly metafile: { readonly inputs: Readonly<Record<string, unknown>> };
}

export interface EsbuildMessage {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | null;
}

export async function findEsbuild(projectDir: string): Promise<Esbuild> {
  const places = [path.join(path.resolve(projectDir), 'package.json'), import.meta.url];
  for (const place of places) {
    let file: string;
    try {
      file = createRequire(place).resolve('esbuild');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause;
      continue;
    }
    const loaded = (await import(pathToFileURL(file).href)) as Esbuild;
    if (typeof loaded.build === 'function') return loaded;
  }
  throw cliError(
    'cli.bundler-missing',
    `build ${projectDir}: esbuild is neither in the project nor beside this program; run \`npm install\` there, or \`npm install --save-dev esbuild\``,
  );
}

export function messagesOf(cause: unknown): readonly EsbuildMessage[] {
  return cause instanceof Error && 'errors' in cause && Array.isArray(cause.errors)
    ? (cause.errors as readonly EsbuildMessage[])
    : [];
}
