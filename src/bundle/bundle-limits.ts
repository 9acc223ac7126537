/** What is compared before anything is allocated or added up. */
export const bundleLimits = {
  /** Of the `.awp`. */
  fileBytes: 8_388_608,
  /** Of the tar inside: a small file may not grow beyond it. */
  unpackedBytes: 33_554_432,
  /** As in the manifest's schema; `manifest.json` itself besides. */
  members: 1_024,
  memberBytes: 16_777_216,
  manifestBytes: 262_144,
  entryBytes: 8_388_608,
} as const;

export const manifestPath = 'manifest.json';
export const sbomPath = 'sbom.spdx.json';
