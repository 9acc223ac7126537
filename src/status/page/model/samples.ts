// Figures that come one by one -> the last few minutes of them, for charts. Pure but for what it keeps.

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

export class Samples {
  readonly #keep: number;
  #kept: readonly Sample[] = [];

  constructor(keep = 90) {
    this.#keep = keep;
  }

  get all(): readonly Sample[] {
    return this.#kept;
  }

  get last(): number | null {
    return this.#kept.at(-1)?.value ?? null;
  }

  add(value: number, atMs: number): void {
    this.#kept = [...this.#kept.slice(1 - this.#keep), { atMs, value }];
  }
}

export interface PluginSamples {
  readonly memory: Samples;
  /** Percent of one core between two answers. */
  readonly cpu: Samples;
  cpuSeconds: number | null;
  atMs: number;
}

/** A counter that went back belongs to a new process: its first figure is no difference to the old one's. */
export function addPluginSample(
  samples: PluginSamples,
  { memoryBytes, cpuSeconds }: { readonly memoryBytes: number | null; readonly cpuSeconds: number | null },
  atMs: number,
): void {
  if (memoryBytes !== null) samples.memory.add(memoryBytes, atMs);
  const before = samples.cpuSeconds;
  const seconds = (atMs - samples.atMs) / 1_000;
  if (cpuSeconds !== null && before !== null && cpuSeconds >= before && seconds > 0) {
    samples.cpu.add(((cpuSeconds - before) / seconds) * 100, atMs);
  }
  samples.cpuSeconds = cpuSeconds;
  samples.atMs = atMs;
}

export const newPluginSamples = (): PluginSamples => ({
  memory: new Samples(),
  cpu: new Samples(),
  cpuSeconds: null,
  atMs: 0,
});
