// Kernel, initramfs and command line of slot A -> one file that the firmware can start (unified kernel image).
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import boot from '../boot.json' with { type: 'json' };
import { type Build, placesOf } from '../build.ts';
import { ImageError } from '../image-error.ts';
import { osRelease } from '../os-release.ts';
import { partitionThatHolds } from '../partition-table.ts';
import { readResolved } from '../resolved-packages.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

const pageBytes = 4096;
const remedy = 'free space and build again';

export const uki: Step = {
  name: '91-uki',
  place: 'out',
  inputs: () => [
    'image/steps/91-uki.ts',
    'image/boot.json',
    'image/os-release.ts',
    'image/partitions.json',
    'package.json',
  ],
  outputs: (build) => [placesOf(build).uki, placesOf(build).bootFiles],
  async run(build) {
    const places = placesOf(build);
    await unpackBootFiles(build);
    const parts = path.join(build.out, 'uki');
    await rm(parts, { recursive: true, force: true });
    await mkdir(parts, { recursive: true });
    const slot = partitionThatHolds('root').name;
    await writeFile(path.join(parts, 'osrel'), osRelease(build.version, slot));
    await writeFile(path.join(parts, 'cmdline'), [...boot.commandLine, `aw.slot=${slot}`].join(' '));
    await runCommand(
      'zstd',
      ['-q', '-f', '-19', '--single-thread', places.initramfs, '-o', path.join(parts, 'initrd')],
      {
        from: 'zstd',
        remedy,
      },
    );
    await join(architectureFiles(build).stub, places.uki, [
      ['.osrel', path.join(parts, 'osrel')],
      ['.cmdline', path.join(parts, 'cmdline')],
      ['.initrd', path.join(parts, 'initrd')],
      // The last one, because the kernel asks for room behind it.
      ['.linux', places.vmlinuz],
    ]);
    build.report(`91-uki: ${((await stat(places.uki)).size / 1e6).toFixed(1)} MB`);
  },
};

/** Paths of what this architecture's firmware starts. */
export function architectureFiles(build: Build) {
  const files = boot.architectures[build.base.architecture];
  const { bootFiles } = placesOf(build);
  return {
    stub: path.join(bootFiles, files.stub),
    loader: path.join(bootFiles, files.loader),
    fallbackName: files.fallbackName,
  };
}

async function unpackBootFiles(build: Build): Promise<void> {
  const { bootFiles, archives } = placesOf(build);
  await rm(bootFiles, { recursive: true, force: true });
  await mkdir(bootFiles, { recursive: true });
  for (const { file, part } of await readResolved(build))
    if (part === 'boot') await build.base.unpack(path.join(archives, file), bootFiles);
}

/** Puts each section behind the last one of the stub, at the next page. */
async function join(stub: string, to: string, sections: readonly (readonly [string, string])[]) {
  const listed = await runCommand('objdump', ['--section-headers', '--wide', stub], {
    from: 'binutils',
    remedy: 'the stub is damaged; delete the cache folder and build again',
  });
  // `  6 .sbat  000000b5  00000001400160e0  …`: size and address.
  const ends = [...listed.matchAll(/^ *\d+ \S+ +([0-9a-f]{8,}) +([0-9a-f]{8,}) /gm)].map(
    ([, size = '', address = '']) => Number.parseInt(address, 16) + Number.parseInt(size, 16),
  );
  if (ends.length === 0)
    throw new ImageError(
      'image.input-missing',
      `join the boot file: ${stub} has no sections; delete the cache`,
    );
  let at = Math.max(...ends);
  const args: string[] = [];
  for (const [name, file] of sections) {
    at = Math.ceil(at / pageBytes) * pageBytes;
    args.push('--add-section', `${name}=${file}`, '--change-section-vma', `${name}=0x${at.toString(16)}`);
    at += (await stat(file)).size;
  }
  await runCommand('objcopy', [...args, stub, to], { from: 'binutils', remedy });
  await clearTimestamp(to);
}

/** Time and checksum of the PE header, which no firmware reads: the same parts give the same bytes. */
async function clearTimestamp(file: string): Promise<void> {
  const bytes = await readFile(file);
  const header = bytes.readUInt32LE(0x3c);
  bytes.writeUInt32LE(0, header + 8);
  bytes.writeUInt32LE(0, header + 88);
  await writeFile(file, bytes);
}
