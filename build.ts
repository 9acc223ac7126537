// src/ -> dist/autoweave.mjs, one file that works alone in an empty folder. Run: `npm run build`; prints the size per input.
// What the sources read from disk (usb.ids, the page, an installation's files, the native addon) is carried inside; the
// output is ASCII only, because one character beyond Latin-1 doubles what V8 keeps of it.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { pluginApiSource } from './src/cli/plugin/plugin-api-source.ts';
import { hostFiles } from './src/operate/install-host/host-files.ts';
import { buildHostSource } from './src/plugins/host/build-host-source.ts';
import { pageAssets, pagePackages } from './src/status/page-assets.ts';
import { readUsbIds } from './src/usb/usb-ids-source.ts';

const outfile = path.join(import.meta.dirname, 'dist/autoweave.mjs');

function compressed(bytes: Uint8Array): string {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return brotliCompressSync(bytes, { params }).toString('base64');
}

/** The addon of the `usb` package for this machine's processor and C library. */
function addonPath(): string {
  const fromUsb = createRequire(createRequire(import.meta.url).resolve('usb'));
  const glibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;
  const name = `linux-${process.arch}-${glibc ? 'gnu' : 'musl'}`;
  return path.join(path.dirname(fromUsb.resolve(`@node-usb/usb-${name}/package.json`)), `usb.${name}.node`);
}

/** module (as a pattern of its path) -> the source that takes its place in the bundle */
const embedded: readonly {
  readonly filter: RegExp;
  readonly contents: () => string;
  readonly loader: 'js' | 'ts';
}[] = [
  {
    filter: /\/src\/usb\/usb-ids-source\.ts$/,
    loader: 'js',
    contents: () => `
      import { brotliDecompressSync } from 'node:zlib';
      export const readUsbIds = () => brotliDecompressSync(Buffer.from(${JSON.stringify(compressed(readUsbIds()))}, 'base64'));`,
  },
  {
    filter: /\/src\/status\/page-assets\.ts$/,
    loader: 'js',
    contents: () => `
      import { brotliDecompressSync } from 'node:zlib';
      const assets = JSON.parse(brotliDecompressSync(Buffer.from(${JSON.stringify(compressed(Buffer.from(JSON.stringify(pageAssets()))))}, 'base64')).toString());
      export const pageAssets = () => assets;`,
  },
  {
    filter: /\/src\/operate\/install-host\/host-files\.ts$/,
    loader: 'js',
    contents: () => `
      import { fileURLToPath } from 'node:url';
      import { brotliDecompressSync } from 'node:zlib';
      export const hostFiles = () => JSON.parse(brotliDecompressSync(Buffer.from(${JSON.stringify(compressed(Buffer.from(JSON.stringify(hostFiles()))))}, 'base64')).toString());
      export const bundleFile = () => fileURLToPath(import.meta.url);`,
  },
  {
    filter: /\/src\/plugins\/host\/host-source\.ts$/,
    loader: 'js',
    contents: () => `
      import { brotliDecompressSync } from 'node:zlib';
      export const hostSource = () => JSON.parse(brotliDecompressSync(Buffer.from(${JSON.stringify(compressed(Buffer.from(JSON.stringify(buildHostSource()))))}, 'base64')).toString());`,
  },
  {
    filter: /\/src\/cli\/plugin\/plugin-api-source\.ts$/,
    loader: 'js',
    contents: () => `
      import { brotliDecompressSync } from 'node:zlib';
      export const pluginApiSource = () => brotliDecompressSync(Buffer.from(${JSON.stringify(compressed(Buffer.from(pluginApiSource())))}, 'base64')).toString();`,
  },
  {
    filter: /\/node_modules\/usb\/index\.js$/,
    loader: 'js',
    contents: () => `
      const { loadAddon } = require(${JSON.stringify(path.join(import.meta.dirname, 'src/usb/load-addon.ts'))});
      module.exports = loadAddon(() => require('node:zlib').brotliDecompressSync(Buffer.from(${JSON.stringify(compressed(readFileSync(addonPath())))}, 'base64')));`,
  },
];

/** The npm packages that files of the bundle come from, for the bill of materials. */
function bundledPackages(inputs: readonly string[]) {
  const folders = inputs.map((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  // What the page is made of is in the bundle as text, of which esbuild knows nothing.
  const ofPage = pagePackages.map((name) => `node_modules/${name}`);
  const used = new Set([
    ...folders.filter((folder) => folder !== undefined),
    ...ofPage,
    path.dirname(addonPath()),
  ]);
  return [...used]
    .map((folder) => {
      const text = readFileSync(path.resolve(import.meta.dirname, folder, 'package.json'), 'utf8');
      const { name, version, license } = JSON.parse(text) as Readonly<Record<string, string | undefined>>;
      return { name, version, license: license ?? 'NOASSERTION' };
    })
    .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

const embed: Plugin = {
  name: 'embed',
  setup(esbuild) {
    for (const { filter, contents, loader } of embedded) {
      esbuild.onLoad({ filter }, ({ path: file }) => ({
        contents: contents(),
        loader,
        resolveDir: path.dirname(file),
      }));
    }
  },
};

const began = performance.now();
mkdirSync(path.dirname(outfile), { recursive: true });
const { metafile } = await build({
  entryPoints: [path.join(import.meta.dirname, 'src/supervisor/main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  charset: 'ascii',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [embed],
  // CommonJS packages inside an ES module need a `require`.
  banner: {
    js: "#!/usr/bin/env node\nimport{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
  },
});

writeFileSync(
  path.join(import.meta.dirname, 'dist/bundled-packages.json'),
  `${JSON.stringify(bundledPackages(Object.keys(metafile.inputs)), null, 2)}\n`,
);

const sizes = new Map<string, number>();
for (const output of Object.values(metafile.outputs)) {
  for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
    const [, name = input] =
      /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? /^(src\/[^/]+)/.exec(input) ?? [];
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
}
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`.padStart(12);
for (const [name, bytes] of [...sizes].sort((a, b) => b[1] - a[1])) {
  if (bytes > 0) console.log(`${kib(bytes)}  ${name}`);
}
console.log(
  `${kib(statSync(outfile).size)}  dist/autoweave.mjs in ${((performance.now() - began) / 1000).toFixed(1)} s`,
);
