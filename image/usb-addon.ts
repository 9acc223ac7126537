// The native part of the `usb` package for the image's processor and C library. npm ci brings the one for this machine; another one is
// taken from the registry and must have the bytes that package-lock.json pins.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BaseProvider } from './base/base-provider.ts';
import { ImageError } from './image-error.ts';
import { runCommand } from './run-command.ts';

export interface UsbAddonWish extends Pick<BaseProvider, 'architecture' | 'libc'> {
  readonly repository: string;
}

export async function usbAddon({ repository, architecture, libc }: UsbAddonWish): Promise<string> {
  const kind = `linux-${architecture}-${libc}`;
  const name = `@node-usb/usb-${kind}`;
  const installed = path.join(repository, 'node_modules', name, `usb.${kind}.node`);
  if (existsSync(installed)) return installed;

  const { version, integrity } = await locked(repository, name);
  const folder = path.join(repository, '.cache/image/npm', `usb-${kind}-${version}`);
  const kept = path.join(folder, `usb.${kind}.node`);
  if (existsSync(kept)) return kept;
  const made = `${folder}.new`;
  await rm(made, { recursive: true, force: true });
  await mkdir(made, { recursive: true });
  const remedy = 'the npm registry is needed once for it; check the network and build again';
  await runCommand('npm', ['pack', '--silent', '--pack-destination', made, `${name}@${version}`], {
    cwd: repository,
    remedy,
  });
  const archive = path.join(made, `${name.slice(1).replace('/', '-')}-${version}.tgz`);
  const found = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (found !== integrity)
    throw new ImageError(
      'image.package-damaged',
      `verify ${name} ${version}: its hash is ${found}, package-lock.json says ${integrity}; find out why before you build`,
    );
  await runCommand('tar', ['-xzf', archive, '-C', made, '--strip-components=1'], { remedy });
  await rm(folder, { recursive: true, force: true });
  await rename(made, folder);
  return kept;
}

async function locked(repository: string, name: string) {
  // Written by npm; the registry's answer is compared with it.
  const { packages } = JSON.parse(await readFile(path.join(repository, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
  };
  const entry = packages[`node_modules/${name}`];
  if (entry !== undefined) return entry;
  throw new ImageError(
    'image.input-missing',
    `take ${name}: package-lock.json does not have it; run npm install`,
  );
}
