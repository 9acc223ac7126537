// The bill of materials, SPDX 2.3 as JSON: every package of the base, and every npm package inside the bundle.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Build, placesOf, releaseName } from '../build.ts';
import { ImageError } from '../image-error.ts';
import { readResolved } from '../resolved-packages.ts';
import type { Step } from '../step.ts';

interface Entry {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** LicenseRef -> its text. */
  readonly references?: Readonly<Record<string, string>>;
  readonly purl: string;
  readonly sha256?: string;
}

export const sbom: Step = {
  name: '95-sbom',
  place: 'out',
  inputs: (build) => [
    'image/steps/95-sbom.ts',
    'image/base/*-licenses.ts',
    bundledList(build),
    'package.json',
    'package-lock.json',
  ],
  outputs: (build) => [placesOf(build).sbom],
  async run(build) {
    const entries = [...(await ofBase(build)), ...(await ofBundle(build)), ...(await ofNode(build))];
    await writeFile(placesOf(build).sbom, `${JSON.stringify(toSpdx(build, entries), null, 2)}\n`);
    const silent = entries.filter(({ license }) => license === 'NOASSERTION').length;
    build.report(
      `95-sbom: ${entries.length} packages, ${silent} of them without terms that a program can read`,
    );
  },
};

/** Written by `npm run build` beside the bundle. */
function bundledList({ runtime }: Build): string {
  return path.join(path.dirname(runtime), 'bundled-packages.json');
}

async function ofBase(build: Build): Promise<readonly Entry[]> {
  const { archives } = placesOf(build);
  const entries: Entry[] = [];
  for (const resolved of await readResolved(build)) {
    const { name, version, sha256, file } = resolved;
    const terms = await build.base.licensesOf?.(name, path.join(archives, file));
    const license = terms?.expression ?? 'NOASSERTION';
    const purl = build.base.purl(resolved);
    entries.push({ name, version, license, references: terms?.references ?? {}, purl, sha256 });
  }
  return entries;
}

async function ofBundle(build: Build): Promise<readonly Entry[]> {
  const file = bundledList(build);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ImageError(
      'image.input-missing',
      `list what is in the bundle: ${file} is missing; run npm run build`,
      {
        cause,
      },
    );
  }
  // Written by build.ts of the same sources.
  const packages = JSON.parse(text) as readonly Pick<Entry, 'name' | 'version' | 'license'>[];
  return packages.map((entry) => ({ ...entry, purl: npmUrl(entry) }));
}

async function ofNode(build: Build): Promise<readonly Entry[]> {
  if (build.node === undefined) return [];
  const name = `node-linux-${build.base.architecture}`;
  const text = await readFile(path.join(build.repository, 'node_modules', name, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  const sha256 = createHash('sha256')
    .update(await readFile(build.node))
    .digest('hex');
  return [{ name, version, license: 'MIT', purl: npmUrl({ name, version }), sha256 }];
}

function npmUrl({ name, version }: Pick<Entry, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function toSpdx(build: Build, entries: readonly Entry[]): object {
  const name = releaseName(build);
  const packages = entries.map((entry) => ({
    SPDXID: `SPDXRef-${createHash('sha256').update(entry.purl).digest('hex').slice(0, 16)}`,
    name: entry.name,
    versionInfo: entry.version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: entry.license,
    copyrightText: 'NOASSERTION',
    ...(entry.sha256 === undefined
      ? {}
      : { checksums: [{ algorithm: 'SHA256', checksumValue: entry.sha256 }] }),
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: entry.purl },
    ],
  }));
  const digest = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
  const image = {
    SPDXID: 'SPDXRef-image',
    name: 'autoweave-edge',
    versionInfo: build.version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'Apache-2.0',
    copyrightText: 'NOASSERTION',
    primaryPackagePurpose: 'OPERATING-SYSTEM',
  };
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${digest}`,
    creationInfo: {
      created: new Date(build.epochSeconds * 1_000).toISOString().replace('.000', ''),
      creators: [`Tool: autoweave-edge-${build.version}`],
    },
    packages: [image, ...packages],
    hasExtractedLicensingInfos: entries.flatMap(({ references = {} }) =>
      Object.entries(references).map(([licenseId, extractedText]) => ({ licenseId, extractedText })),
    ),
    relationships: [
      {
        spdxElementId: 'SPDXRef-DOCUMENT',
        relationshipType: 'DESCRIBES',
        relatedSpdxElement: image.SPDXID,
      },
      ...packages.map(({ SPDXID }) => ({
        spdxElementId: image.SPDXID,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
}
