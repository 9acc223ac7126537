// The root that the guest boots: the product's, plus the test's agent in a layer of its own.
import path from 'node:path';
import { baseProvider } from '../../image/base/base-providers.ts';
import { whyNotDebian } from '../../image/base/debian.ts';
import { type BuiltRoot, buildRoot } from '../../image/build-root.ts';
import { missingTools } from '../../image/missing-tools.ts';

const repository = path.resolve(import.meta.dirname, '../..');

/** The reason for skipping the guest's tests on this machine, or false. */
export function whyNoGuest(): string | false {
  if (process.arch !== 'x64') return `the guest is x64, this machine is ${process.arch}`;
  const why = whyNotDebian();
  if (why !== undefined) return `the guest is built from Debian packages; ${why}`;
  const missing = missingTools(['qemu-system-x86_64', 'mke2fs', 'setpriv']);
  return missing.length > 0 && `the guest needs programs that are not installed: ${missing.join(', ')}`;
}

export function buildGuestImage(runtime = path.join(repository, 'dist/autoweave.mjs')): Promise<BuiltRoot> {
  return buildRoot({
    base: baseProvider('debian', {}),
    out: path.join(repository, 'out/guest'),
    runtime,
    layers: ['test/image/layer'],
    report: (line) => process.stderr.write(`guest image: ${line}\n`),
  });
}
