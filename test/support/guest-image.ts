// The root that the guest boots: the product's, plus the test's agent in a layer of its own.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { whyNoApko } from '../../image/base/apko.ts';
import { baseProvider } from '../../image/base/base-providers.ts';
import { whyNotDebian } from '../../image/base/debian.ts';
import { buildDisk } from '../../image/build-image.ts';
import { type BuiltRoot, buildRoot } from '../../image/build-root.ts';
import { missingTools } from '../../image/missing-tools.ts';
import { testMirror, whyNoRepository } from './alpine/make-repository.ts';
import { firmwareCode } from './qemu.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const report = (line: string) => void process.stderr.write(`guest image: ${line}\n`);
const common = () => ({
  base: baseProvider('debian', {}),
  out: path.join(repository, 'out/guest'),
  layers: ['test/image/layer'],
  report,
});

/** The reason for skipping the guest's tests on this machine, or false. */
export function whyNoGuest(): string | false {
  if (process.arch !== 'x64') return `the guest is x64, this machine is ${process.arch}`;
  const why = whyNotDebian();
  if (why !== undefined) return `the guest is built from Debian packages; ${why}`;
  const missing = missingTools(['qemu-system-x86_64', 'mke2fs', 'setpriv']);
  return missing.length > 0 && `the guest needs programs that are not installed: ${missing.join(', ')}`;
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
export function buildGuestDisk(): Promise<string> {
  return buildDisk({ ...common(), runtime: path.join(repository, 'dist/autoweave.mjs') });
}

/** As above, for the tests of the base `alpine`. */
export function whyNoAlpineGuest(): string | false {
  return whyNoGuest() || whyNoRepository() || whyNoApko() || false;
}

/** The same root on the base `alpine`, from the repository that the tests make; the lock file is made for it. */
export async function buildAlpineGuest(): Promise<BuiltRoot> {
  const mirror = await testMirror(report);
  const out = path.join(repository, 'out/guest-alpine');
  await mkdir(out, { recursive: true });
  const options = { mirror: mirror.url, keys: mirror.keys, lock: path.join(out, 'lock.json') };
  const work = path.join(out, 'lock-work');
  await baseProvider('alpine', { ...options, locking: 'refresh' }).fetch({
    archives: path.join(work, 'archives'),
    work,
  });
  const runtime = path.join(repository, 'dist/autoweave.mjs');
  return buildRoot({ ...common(), base: baseProvider('alpine', options), out, runtime });
}

export function buildGuestImage(runtime = path.join(repository, 'dist/autoweave.mjs')): Promise<BuiltRoot> {
  return buildRoot({ ...common(), runtime });
}
