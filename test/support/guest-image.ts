// The root that the guest boots: the product's, plus the test's agent in a layer of its own.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { BaseProvider } from '../../image/base/base-provider.ts';
import { type BaseName, baseProvider } from '../../image/base/base-providers.ts';
import { whyNotDebian } from '../../image/base/debian.ts';
import { buildDisk } from '../../image/build-image.ts';
import { type BuiltRoot, buildRoot } from '../../image/build-root.ts';
import { missingTools } from '../../image/missing-tools.ts';
import { testMirror, whyNoRepository } from './alpine/make-repository.ts';
import { firmwareCode } from './qemu.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const report = (line: string) => void process.stderr.write(`guest image: ${line}\n`);
const shippedRuntime = path.join(repository, 'dist/autoweave.mjs');

/** The base of all guests: `GUEST_BASE=alpine npm test -- guest` runs the same tests under musl. */
const guestBase: BaseName = process.env.GUEST_BASE === 'alpine' ? 'alpine' : 'debian';

/** The reason for skipping the guest's tests on this machine, or false. */
export function whyNoGuest(base: BaseName = guestBase): string | false {
  if (process.arch !== 'x64') return `the guest is x64, this machine is ${process.arch}`;
  const why = whyNotDebian();
  if (why !== undefined) return `the guest is built from Debian packages; ${why}`;
  const missing = missingTools(['qemu-system-x86_64', 'mke2fs', 'setpriv']);
  if (missing.length > 0) return `the guest needs programs that are not installed: ${missing.join(', ')}`;
  if (base === 'debian') return false;
  const unmade = whyNoRepository();
  return unmade !== undefined && `the guest's packages for musl cannot be made: ${unmade}`;
}

/** As above, for the tests that boot the whole disk. */
export function whyNoDiskGuest(): string | false {
  const missing = missingTools(['objcopy', 'mformat', 'sfdisk', 'zstd']);
  if (missing.length > 0)
    return `the disk image needs programs that are not installed: ${missing.join(', ')}`;
  if (!existsSync(firmwareCode)) return `there is no firmware for the guest (${firmwareCode}); install ovmf`;
  return whyNoGuest();
}

/** The product's disk with the test's agent in slot A. */
export async function buildGuestDisk(): Promise<string> {
  return buildDisk({ ...(await common(guestBase)), runtime: shippedRuntime });
}

export async function buildGuestImage(
  runtime = shippedRuntime,
  base: BaseName = guestBase,
): Promise<BuiltRoot> {
  return buildRoot({ ...(await common(base)), runtime });
}

async function common(base: BaseName) {
  return {
    base: base === 'alpine' ? await alpineOfTests() : baseProvider('debian', {}),
    out: path.join(repository, base === 'alpine' ? 'out/guest-alpine' : 'out/guest'),
    layers: ['test/image/layer'],
    report,
  };
}

/** The base `alpine` on the repository that the tests make, with a lock file made for it. */
export async function alpineOfTests(): Promise<BaseProvider> {
  const { url, keys, lock } = await testMirror(report);
  return baseProvider('alpine', { mirror: url, keys, lock });
}
