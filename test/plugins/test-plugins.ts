// Signed plugins made of a few lines of code, and the trust document that lets an appliance take them.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { packBundle } from '../../src/bundle/pack-bundle.ts';
import { sbomText } from '../../src/bundle/sbom.ts';
import type { PluginManifest } from '../../src/contracts/plugin-manifest.ts';
import { editTrustFile, newTrustFile, withKey } from '../../src/trust/edit-trust.ts';
import { readTrustFile } from '../../src/trust/read-trust-file.ts';
import { signContent } from '../../src/trust/sign-content.ts';
import { signTrustFile } from '../../src/trust/sign-trust.ts';
import { testKey } from '../trust/test-keys.ts';

const publisher = await testKey('publisher');
const root = await testKey('root');
const issuedMs = Date.UTC(2025, 0, 1);
const expiresMs = Date.UTC(2099, 0, 1);

export interface SignedPlugin {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
  readonly signature: string;
}

export interface PluginParts extends Partial<Omit<PluginManifest, 'members' | 'manifestVersion'>> {
  readonly code: string;
}

/** Body of the module; `export default` is the caller's. */
export async function signedPlugin({ code, ...changes }: PluginParts): Promise<SignedPlugin> {
  const manifest: Omit<PluginManifest, 'members'> = {
    manifestVersion: 1,
    name: 'probe',
    version: '1.0.0',
    api: '1.0',
    channel: 'stable',
    securityCounter: 0,
    entry: 'plugin.mjs',
    level: 'medium',
    permissions: { emit: ['seen'] },
    subscriptions: ['usb.device.added'],
    ...changes,
  };
  const packed = packBundle(
    manifest,
    new Map<string, Uint8Array>([
      ['plugin.mjs', Buffer.from(code)],
      ['sbom.spdx.json', Buffer.from(sbomText(manifest, []))],
    ]),
  );
  if (!packed.ok) throw new Error(`${packed.code}: ${packed.reason}`);
  const signature = await signBundle(packed.bytes);
  return { name: manifest.name, version: manifest.version, bytes: packed.bytes, signature };
}

export function signBundle(bytes: Uint8Array): Promise<string> {
  return signContent(bytes, publisher, 'test');
}

/** Trusts the key that `signedPlugin` signs with. */
export async function trustText(until: { readonly expiresMs: number } = { expiresMs }): Promise<string> {
  const dates = { nowMs: issuedMs, ...until };
  const first = newTrustFile([root.public], { threshold: 1, ...dates });
  if (!first.ok) throw new Error(first.reason);
  const draft = editTrustFile(first.file, withKey('publisher', publisher.public, { threshold: 1 }), dates);
  if (!draft.ok) throw new Error(draft.reason);
  const signed = await signTrustFile(draft.file, root, issuedMs);
  const read = readTrustFile(signed);
  if (!read.ok) throw new Error(read.reason);
  return signed;
}

export async function writeTrust(stateDir: string, until?: { readonly expiresMs: number }): Promise<void> {
  await mkdir(path.join(stateDir, 'trust'), { recursive: true });
  await writeFile(path.join(stateDir, 'trust/trust.json'), await trustText(until));
}

/** Emits `seen` for each event that it gets. */
export const seer = `export default {
  async onEvent(event, { emit }) {
    await emit('seen', { id: event.id, subject: event.subject }, { causedBy: event });
  },
};
`;
