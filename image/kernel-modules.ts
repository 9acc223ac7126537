// Chooses kernel modules and everything they need, and unpacks them, so that neither boot nor initramfs has to decompress.
import { copyFile, glob, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ImageError } from './image-error.ts';
import { runCommand } from './run-command.ts';

export interface KernelModules {
  /** Files below the module folder, in an order in which each comes after what it depends on. */
  inLoadOrder(names: readonly string[]): readonly string[];
  readonly count: number;
}

interface Module {
  readonly file: string;
  readonly needs: readonly string[];
}

const packed = { '.xz': 'xz', '.zst': 'zstd', '.gz': 'gzip' } as const;

/** Copies the modules that `patterns` name, and their dependencies, from the folder of one kernel release to another. */
export async function copyModules(
  from: string,
  to: string,
  patterns: readonly string[],
): Promise<KernelModules> {
  const available = new Map<string, string>();
  for await (const file of glob('kernel/**/*.ko*', { cwd: from })) available.set(nameOf(file), file);
  const chosen = new Map<string, Module>();
  let wanted = new Set<string>();
  for (const pattern of patterns)
    for await (const file of glob(pattern, { cwd: from }))
      if (available.get(nameOf(file)) === file) wanted.add(nameOf(file));
  while (wanted.size > 0) {
    const batch = [...wanted].flatMap((name) => available.get(name) ?? []);
    for (const [name, module] of await unpackModules(from, to, batch)) chosen.set(name, module);
    const needed = [...chosen.values()].flatMap(({ needs }) => needs);
    wanted = new Set(needed.filter((name) => !chosen.has(name) && available.has(name)));
  }
  return { count: chosen.size, inLoadOrder: (names) => inLoadOrder(chosen, names) };
}

async function unpackModules(
  from: string,
  to: string,
  files: readonly string[],
): Promise<readonly (readonly [string, Module])[]> {
  const byTool = new Map<string, string[]>();
  for (const file of files) {
    await mkdir(path.dirname(path.join(to, file)), { recursive: true });
    await copyFile(path.join(from, file), path.join(to, file));
    const tool = packed[path.extname(file) as keyof typeof packed];
    if (tool !== undefined) byTool.set(tool, [...(byTool.get(tool) ?? []), file]);
  }
  for (const [tool, inputs] of byTool)
    await runCommand(tool, ['-d', '-f', '-q', ...(tool === 'zstd' ? ['--rm'] : []), ...inputs], {
      cwd: to,
      from: tool === 'xz' ? 'xz-utils' : tool,
      remedy: 'delete the cache folder and build again',
    });
  return Promise.all(
    files.map(async (file) => {
      const unpacked = file.replace(/\.ko\..*$/, '.ko');
      const bytes = await readFile(path.join(to, unpacked), 'latin1');
      return [nameOf(file), { file: unpacked, needs: needsOf(bytes) }] as const;
    }),
  );
}

/** The `.modinfo` section is a list of NUL-ended `key=value`; `depends` and `softdep: pre:` name what comes first. */
function needsOf(module: string): readonly string[] {
  const hard = /\0depends=([^\0]*)\0/.exec(module)?.[1]?.split(',') ?? [];
  const soft = [...module.matchAll(/\0softdep=pre: ([^\0:]*)\0/g)].flatMap(([, names = '']) =>
    names.split(' '),
  );
  return [...hard, ...soft].filter((name) => name !== '').map(nameOf);
}

/** `kernel/drivers/usb/host/xhci-pci.ko.xz` -> `xhci_pci` */
function nameOf(file: string): string {
  return path
    .basename(file)
    .replace(/\.ko(\..*)?$/, '')
    .replaceAll('-', '_');
}

function inLoadOrder(modules: ReadonlyMap<string, Module>, names: readonly string[]): readonly string[] {
  const order = new Set<string>();
  const visit = (name: string) => {
    const module = modules.get(name);
    if (module === undefined || order.has(module.file)) return;
    for (const need of module.needs) visit(need);
    order.add(module.file);
  };
  for (const name of names.map(nameOf)) {
    if (!modules.has(name))
      throw new ImageError(
        'image.module-missing',
        `load ${name} in the initramfs: this kernel has no such module among those of modules.json; add its path there, or remove the name`,
      );
    visit(name);
  }
  return [...order];
}
