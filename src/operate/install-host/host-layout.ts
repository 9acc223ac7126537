// Where everything goes on an ordinary host: the places that are the administrator's, so that no package's file is touched.
import type { HostFiles } from './host-files.ts';

export const programFolder = '/usr/local/lib/autoweave';
export const manifestPath = '/var/lib/autoweave-install/manifest.json';
export const configPath = '/etc/autoweave/autoweave.json';

export const units = ['autoweave-redis.service', 'autoweave.service'] as const;
export const users = ['autoweave', 'autoweave-redis'] as const;
/** Made by the running services; left in place unless a purge is asked for. */
export const dataFolders = ['/var/lib/autoweave', '/var/lib/autoweave-redis'] as const;
/** On tmpfs, made by systemd-tmpfiles. */
export const spoolFolder = '/run/autoweave-spool';

export interface Placed {
  readonly path: string;
  readonly mode: number;
  readonly content: string | Uint8Array;
  readonly group?: string;
  /** Written once; afterwards it is the administrator's. */
  readonly once?: boolean;
}

const places: readonly (readonly [keyof HostFiles, string, number])[] = [
  ['systemd/autoweave.sysusers', '/etc/sysusers.d/autoweave.conf', 0o644],
  ['systemd/autoweave.tmpfiles', '/etc/tmpfiles.d/autoweave.conf', 0o644],
  ['systemd/autoweave.sysctl', '/etc/sysctl.d/60-autoweave.conf', 0o644],
  ['systemd/autoweave.service', '/etc/systemd/system/autoweave.service', 0o644],
  ['systemd/autoweave-redis.service', '/etc/systemd/system/autoweave-redis.service', 0o644],
  ['systemd/autoweave-run', `${programFolder}/autoweave-run`, 0o755],
  ['systemd/autoweave', '/usr/local/bin/autoweave', 0o755],
  ['udev/90-autoweave.rules', '/etc/udev/rules.d/90-autoweave.rules', 0o644],
  ['udev/90-autoweave-leds.rules', '/etc/udev/rules.d/90-autoweave-leds.rules', 0o644],
  ['udev/91-autoweave-usb-policy.rules', '/etc/udev/rules.d/91-autoweave-usb-policy.rules', 0o644],
  ['udev/autoweave-spool', `${programFolder}/autoweave-spool`, 0o755],
  ['rootfs/usr/lib/autoweave/redis-run', `${programFolder}/redis-run`, 0o755],
  ['rootfs/etc/autoweave/redis.conf', '/etc/autoweave/redis.conf', 0o644],
];

const kernelLog = [
  'systemd/autoweave-kernel-log.conf',
  '/etc/systemd/system/autoweave.service.d/kernel-log.conf',
  0o644,
] as const;

/** @param has.kernelLog a unit whose input is missing would not start */
export function hostLayout(
  files: HostFiles,
  bundle: Uint8Array,
  has: { readonly kernelLog: boolean },
): readonly Placed[] {
  return [
    ...[...places, ...(has.kernelLog ? [kernelLog] : [])].map(([source, path, mode]) => ({
      path,
      mode,
      content: placedText(source, files[source]),
    })),
    { path: `${programFolder}/autoweave.mjs`, mode: 0o644, content: bundle },
    {
      path: configPath,
      mode: 0o640,
      group: 'autoweave',
      content: files['rootfs/etc/autoweave/autoweave.json'],
      once: true,
    },
  ];
}

/** udev looks for a helper without a path in a folder that belongs to packages (and differs between distributions). */
function placedText(source: keyof HostFiles, text: string): string {
  return source === 'udev/90-autoweave.rules'
    ? text.replaceAll('RUN+="autoweave-spool"', `RUN+="${programFolder}/autoweave-spool"`)
    : text;
}
