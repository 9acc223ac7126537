// The machine below the appliance: clock, memory, disk and the wear of its flash.
import { access, constants, readdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { attention, type Check, fault, ok, type Seen, unknown } from './finding.ts';
import { readText } from './read-text.ts';

/** No appliance was made before it: a clock that says so was never set. */
const earliestMs = Date.UTC(2026, 0, 1);
const memoryFaultMiB = 64;
const memoryAttentionMiB = 160;
const diskFaultMiB = 64;
const diskFaultShare = 0.02;
const diskAttentionShare = 0.1;

export const checkClock: Check = {
  name: 'clock',
  async look({ nowMs }) {
    const says = new Date(nowMs).toISOString();
    return nowMs < earliestMs
      ? fault(
          `the clock says ${says}, before this program was made`,
          'Give the appliance a time server it can reach, or set the clock in the firmware; until then events carry uptime.',
        )
      : ok(`the clock says ${says}`);
  },
};

export const checkMemory: Check = {
  name: 'memory',
  async look({ root }) {
    const text = await readText(root, 'proc/meminfo');
    const kib = Number(/^MemAvailable:\s+(\d+) kB/m.exec(text ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(kib)) return unknown('/proc/meminfo does not say how much memory is available');
    const mib = Math.round(kib / 1024);
    const why = `${mib} MiB of memory are available`;
    const remedy = 'Stop plugins that need much, or give the machine more memory; 512 MiB are the least.';
    if (mib < memoryFaultMiB) return fault(why, remedy);
    return mib < memoryAttentionMiB ? attention(why, remedy) : ok(why);
  },
};

export const checkDisk: Check = {
  name: 'disk',
  async look({ config }) {
    const dir = config.appliance.stateDir;
    try {
      await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      return code === 'ENOENT'
        ? fault(`${dir} does not exist`, 'Start the appliance once, or create the folder for its user.')
        : fault(
            `${dir} cannot be written (${code})`,
            'Run this as root or as the user of the appliance; a read-only file system wants a repair (restart the box).',
          );
    }
    const { bavail, blocks, bsize, ffree, files } = await statfs(dir);
    const share = blocks === 0 ? 0 : bavail / blocks;
    const mib = Math.round((bavail * bsize) / 1_048_576);
    const why = `${dir}: ${mib} MiB free (${Math.round(share * 100)} %)`;
    const remedy =
      'Connect the broker so that the buffer drains, remove what is not needed, or take a larger disk.';
    if (files > 0 && ffree / files < diskFaultShare) return fault(`${why}, but no inodes are left`, remedy);
    if (mib < diskFaultMiB || share < diskFaultShare) return fault(why, remedy);
    return share < diskAttentionShare ? attention(why, remedy) : ok(why);
  },
};

/** JEDEC eMMC 5.0: life_time is in steps of 10 % used (0x01 to 0x0a, 0x0b: beyond), one for each kind of cell. */
export const checkFlashWear: Check = {
  name: 'flash-wear',
  async look({ root }) {
    const blocks = await readdir(path.join(root, 'sys/block')).catch(() => []);
    const seen: Seen[] = [];
    for (const disk of blocks.filter((name) => /^mmcblk\d+$/.test(name))) {
      const text = await readText(root, `sys/block/${disk}/device/life_time`);
      const steps = (text ?? '')
        .split(/\s+/)
        .map(Number)
        .filter((step) => step > 0 && step <= 11);
      if (steps.length > 0) seen.push(wearSeen(disk, Math.max(...steps) * 10));
    }
    return seen.length > 0
      ? seen
      : unknown('no disk of this machine tells its wear through sysfs (only eMMC does)');
  },
};

function wearSeen(disk: string, percent: number): Seen {
  const why =
    percent > 100 ? `${disk} is worn beyond its life` : `${disk} has used at most ${percent} % of its life`;
  if (percent > 90) return fault(why, 'Replace the flash soon; its data can still be read now.');
  return percent > 70 ? attention(why, 'Plan the replacement of the flash.') : ok(why);
}
