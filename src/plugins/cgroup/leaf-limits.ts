// A plugin's resources -> what is written to which file of its cgroup. Pure.
import type { PluginResources } from '../../contracts/plugin-manifest.ts';

const CPU_PERIOD_US = 100_000;

export interface LeafLimit {
  readonly file: string;
  readonly value: string;
}

/** `disk` is `major:minor` of the disk with the data; null: none is known, and io.max cannot be set. */
export function leafLimits(resources: PluginResources, disk: string | null): readonly LeafLimit[] {
  const { cpuMaxPercent, ioBytesPerSecond, memoryMaxBytes, pidsMax } = resources;
  return [
    { file: 'memory.max', value: String(memoryMaxBytes) },
    { file: 'memory.swap.max', value: '0' },
    // A process group that lost one member to the memory limit is no plugin any more: all of it goes.
    { file: 'memory.oom.group', value: '1' },
    { file: 'cpu.max', value: `${Math.round((cpuMaxPercent * CPU_PERIOD_US) / 100)} ${CPU_PERIOD_US}` },
    { file: 'pids.max', value: String(pidsMax) },
    ...(ioBytesPerSecond === undefined
      ? []
      : [
          {
            file: 'io.max',
            value: `${disk ?? 'unknown'} rbps=${ioBytesPerSecond} wbps=${ioBytesPerSecond}`,
          },
        ]),
  ];
}
