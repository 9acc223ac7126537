import { freemem, totalmem } from 'node:os';
import { Gauge, type Registry } from 'prom-client';
import { readCgroupMemory } from './read-cgroup-memory.ts';

/** Memory used and its limit: of the whole machine, and of the control group where it has a limit. */
export function addMemoryMetrics(registry: Registry): void {
  const add = (what: string, help: string, machine: () => number, group: 'usedBytes' | 'limitBytes') =>
    new Gauge({
      name: `autoweave_memory_${what}_bytes`,
      help: `${help}: the machine, or the control group with the least room.`,
      labelNames: ['scope'],
      registers: [registry],
      async collect() {
        const memory = await readCgroupMemory();
        // Without a limit there is no such line: a stale one would be a lie.
        this.reset();
        this.set({ scope: 'machine' }, machine());
        if (memory !== null) this.set({ scope: 'cgroup' }, memory[group]);
      },
    });
  add('used', 'Memory in use, by what is counted', () => totalmem() - freemem(), 'usedBytes');
  add('limit', 'Memory that may be in use, by what is counted', totalmem, 'limitBytes');
}
