// A small good bundle, and any bytes signed as if they were one: what hides behind a good signature must be refused too.
import { toGzip } from '../../src/bundle/gzip-frame.ts';
import { packBundle } from '../../src/bundle/pack-bundle.ts';
import { manifestText } from '../../src/bundle/read-manifest.ts';
import { sbomText } from '../../src/bundle/sbom.ts';
import { type TarMember, toTar } from '../../src/bundle/tar.ts';
import { type BundleVerdict, verifyBundle } from '../../src/bundle/verify-bundle.ts';
import type { PluginManifest } from '../../src/contracts/plugin-manifest.ts';
import { signContent } from '../../src/trust/sign-content.ts';
import { signersOf } from '../../src/trust/signers.ts';
import { testKey } from '../trust/test-keys.ts';

export const publisher = await testKey('publisher');

export const source: Omit<PluginManifest, 'members'> = {
  manifestVersion: 1,
  name: 'demo',
  version: '1.2.3',
  api: '1.0',
  channel: 'stable',
  securityCounter: 0,
  entry: 'plugin.mjs',
  level: 'high',
  permissions: { emit: ['reading'], kv: { maxBytes: 1_024 }, serial: [{ vendor: '0403', product: '6001' }] },
  subscriptions: ['usb.device.added'],
};

export function goodMembers(): Map<string, Uint8Array> {
  return new Map<string, Uint8Array>([
    ['plugin.mjs', Buffer.from('export default { onEvent() {} };\n')],
    ['assets/table.csv', Buffer.from('a,b\n1,2\n')],
    ['sbom.spdx.json', Buffer.from(sbomText(source, [{ name: '@x/y', version: '1.0.0', license: 'MIT' }]))],
  ]);
}

export function packed(
  changes: Partial<Omit<PluginManifest, 'members'>> = {},
  members: ReadonlyMap<string, Uint8Array> = goodMembers(),
) {
  const verdict = packBundle({ ...source, ...changes }, members);
  if (!verdict.ok) throw new Error(`${verdict.code}: ${verdict.reason}`);
  return verdict;
}

export async function judge(bytes: Uint8Array, signed: Uint8Array = bytes): Promise<BundleVerdict> {
  const text = await signContent(signed, publisher, 'test');
  return verifyBundle(bytes, text, signersOf([publisher.public]), 0);
}

/** A signed bundle of these members, whatever they are. */
export function judgeMembers(members: readonly TarMember[]): Promise<BundleVerdict> {
  return judge(toGzip(toTar(members)));
}

/** `manifest.json` first, then the members it lists; `rest` may be something else. */
export function membersWith(
  manifest: PluginManifest,
  rest: readonly TarMember[] = [...goodMembers()].map(([path, bytes]) => ({ path, bytes })),
): TarMember[] {
  const sorted = rest.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return [{ path: 'manifest.json', bytes: Buffer.from(manifestText(manifest)) }, ...sorted];
}
