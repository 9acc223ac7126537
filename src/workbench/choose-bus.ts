// This computer's USB bus, or the simulated one where it has none or none is wanted.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { readCaptures } from './capture.ts';
import type { Simulation } from './daemon-config.ts';
import type { StartOptions } from './start-options.ts';
import { emptyTree } from './sysfs-tree.ts';

export interface Bus {
  readonly about: string;
  /** null: the real one. */
  readonly simulation: Simulation | null;
}

/** @throws WorkbenchError `workbench.bad-capture` */
export function chooseBus(options: StartOptions, root: string): Bus {
  if (!options.simulate && hasDevices('/sys/bus/usb/devices')) {
    return { about: "watches this computer's USB bus: plug something in", simulation: null };
  }
  const captures = readCaptures(options.capturesDir);
  const sysfsRoot = path.join(options.stateDir, 'sys');
  emptyTree(sysfsRoot);
  const reason = options.simulate ? 'as asked' : 'this computer has no USB bus';
  return {
    about: `SIMULATED devices (${reason}): replays ${captures.length} recordings, and every event says so`,
    simulation: {
      sysfsRoot,
      monitorCommand: [
        process.execPath,
        path.join(root, 'src/workbench/replay.ts'),
        ...['--sysfs', sysfsRoot],
        ...['--captures', options.capturesDir],
        ...['--seed', String(options.seed)],
      ],
    },
  };
}

function hasDevices(dir: string): boolean {
  return existsSync(dir) && readdirSync(dir).length > 0;
}
