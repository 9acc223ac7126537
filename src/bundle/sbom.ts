// The bill of materials inside a bundle, SPDX 2.3: which npm packages its code was made from.
import { type Static, Type } from 'typebox';
import type { PluginManifest } from '../contracts/plugin-manifest.ts';
import { schemaCheck } from '../lib/schema-check.ts';
import { sbomPath } from './bundle-limits.ts';
import { type BundleRefusal, refuse } from './bundle-refusal.ts';

export interface SbomPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

const Sbom = Type.Object({
  spdxVersion: Type.Literal('SPDX-2.3'),
  SPDXID: Type.Literal('SPDXRef-DOCUMENT'),
  name: Type.String(),
  packages: Type.Array(
    Type.Object({ SPDXID: Type.String(), name: Type.String(), versionInfo: Type.String() }),
    { minItems: 1, maxItems: 4_096 },
  ),
});
type Sbom = Static<typeof Sbom>;
const check = schemaCheck(Sbom);

/** The same packages give the same text. */
export function sbomText(
  { name, version }: Pick<PluginManifest, 'name' | 'version'>,
  packages: readonly SbomPackage[],
): string {
  const own = { SPDXID: 'SPDXRef-plugin', name, versionInfo: version, ...unknownTerms };
  const others = packages.map((each, index) => ({
    SPDXID: `SPDXRef-package-${index + 1}`,
    name: each.name,
    versionInfo: each.version,
    ...unknownTerms,
    licenseDeclared: each.license,
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:npm/${each.name.replace('@', '%40')}@${each.version}`,
      },
    ],
  }));
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${name}-${version}`,
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${version}`,
    // A bundle knows no time: the same source gives the same bytes.
    creationInfo: { created: '1970-01-01T00:00:00Z', creators: ['Tool: autoweave'] },
    packages: [own, ...others],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: own.SPDXID },
      ...others.map(({ SPDXID }) => ({
        spdxElementId: own.SPDXID,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: SPDXID,
      })),
    ],
  } satisfies Sbom & Record<string, unknown>;
  return `${JSON.stringify(document, null, 2)}\n`;
}

const unknownTerms = {
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  licenseDeclared: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
} as const;

export function checkSbom(
  { name, version }: PluginManifest,
  bytes: Uint8Array | undefined,
): BundleRefusal | null {
  if (bytes === undefined) return refuse('bundle.sbom-missing', sbomPath, 'is not there');
  const checked = check(parseJson(Buffer.from(bytes).toString('utf8')));
  if (!checked.ok) {
    const { path = '', message = '' } = checked.problems[0] ?? {};
    return refuse('bundle.sbom-invalid', `${sbomPath}${path}`, message);
  }
  const wanted = `${name}-${version}`;
  return checked.value.name === wanted
    ? null
    : refuse(
        'bundle.sbom-invalid',
        `${sbomPath}/name`,
        `is ${JSON.stringify(checked.value.name)}, not ${wanted}`,
      );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
