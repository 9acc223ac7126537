// What an installation consists of, besides Node: build.ts replaces this module by one that carries the files' text.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const sources = [
  'systemd/autoweave.service',
  'systemd/autoweave-redis.service',
  'systemd/autoweave-kernel-log.conf',
  'systemd/autoweave.sysusers',
  'systemd/autoweave.tmpfiles',
  'systemd/autoweave.sysctl',
  'systemd/autoweave',
  'systemd/autoweave-run',
  'udev/90-autoweave.rules',
  'udev/90-autoweave-leds.rules',
  'udev/91-autoweave-usb-policy.rules',
  'udev/autoweave-spool',
  'rootfs/usr/lib/autoweave/redis-run',
  'rootfs/etc/autoweave/redis.conf',
  'rootfs/etc/autoweave/autoweave.json',
] as const;

export type HostFiles = Readonly<Record<(typeof sources)[number], string>>;

export function hostFiles(): HostFiles {
  const root = path.join(import.meta.dirname, '../../..');
  return Object.fromEntries(
    sources.map((name) => [name, readFileSync(path.join(root, name), 'utf8')]),
  ) as HostFiles;
}

/** The one file that ships, when this runs from it; null: this runs from the sources. */
export function bundleFile(): string | null {
  return null;
}
