// Every way in which a plugin bundle is refused. Codes are stable: events, logs and scripts use them.

export type BundleCode =
  | 'bundle.too-large'
  | 'bundle.not-gzip'
  | 'bundle.gzip-damaged'
  | 'bundle.unpacked-too-large'
  | 'bundle.trailing-data'
  | 'bundle.tar-malformed'
  | 'bundle.tar-link'
  | 'bundle.tar-device'
  | 'bundle.tar-extension'
  | 'bundle.tar-type'
  | 'bundle.tar-path'
  | 'bundle.tar-metadata'
  | 'bundle.too-many-members'
  | 'bundle.duplicate-member'
  | 'bundle.case-collision'
  | 'bundle.path-conflict'
  | 'bundle.manifest-missing'
  | 'bundle.manifest-malformed'
  | 'bundle.manifest-invalid'
  | 'bundle.member-missing'
  | 'bundle.member-unexpected'
  | 'bundle.member-size'
  | 'bundle.member-hash'
  | 'bundle.sbom-missing'
  | 'bundle.sbom-invalid'
  | 'bundle.entry-missing'
  | 'bundle.entry-invalid'
  | 'bundle.native-code'
  | 'bundle.malware'
  | 'bundle.config-schema-invalid'
  | 'bundle.api-incompatible'
  | 'bundle.platform-incompatible'
  | 'bundle.dependency-missing'
  | 'bundle.policy-denied';

export interface BundleRefusal {
  readonly ok: false;
  readonly code: BundleCode;
  /** Names what is wrong, where, and its value. */
  readonly reason: string;
  /** Where: a member's path, or a JSON pointer into `manifest.json`; '' is the bundle itself. */
  readonly field: string;
}

export function refuse(code: BundleCode, field: string, why: string): BundleRefusal {
  return { ok: false, code, field, reason: `${field === '' ? 'the bundle' : field} ${why}` };
}
