// Sources -> programs for musl, each as the tree its Alpine package has. One job at a time, and nice: other work goes on meanwhile.
import { chmod, copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../../image/run-command.ts';
import type { DebianArchive } from './debian-archive.ts';
import { muslCompiler } from './musl-compiler.ts';
import { keptPart } from './part-store.ts';

const remedy =
  'read the compiler messages above; packages musl-tools, linux-libc-dev, make, meson and ninja-build are needed';

export async function muslBusybox(debian: DebianArchive): Promise<string> {
  return keptPart('busybox-1.37.0', async (tree) => {
    const build = await buildFolder(await debian.source('busybox'), tree);
    // Debian's choice of applets, without what needs glibc's regular expressions or older kernel headers.
    const config = await readFile(path.join(build, 'debian/config/pkg/deb'), 'utf8');
    const without = ['FEATURE_VI_REGEX_SEARCH', 'EXTRA_COMPAT', 'TC'];
    const changed = without.reduce(
      (text, name) => text.replace(`CONFIG_${name}=y`, `# CONFIG_${name} is not set`),
      config.replace(/^CONFIG_CROSS_COMPILER_PREFIX=.*$/m, 'CONFIG_CROSS_COMPILER_PREFIX=""'),
    );
    await writeFile(path.join(build, '.config'), changed);
    await runCommand('sh', ['-c', 'yes "" | make oldconfig'], { cwd: build, remedy });
    const compiler = (await muslCompiler()).join(' ');
    await runCommand('nice', ['make', `CC=${compiler}`, 'HOSTCC=gcc', 'busybox'], { cwd: build, remedy });
    await install(path.join(build, 'busybox'), tree, 'bin/busybox');
    await symlink('busybox', path.join(tree, 'bin/sh'));
  });
}

/** Redis's one C++ file uses templates alone; it is compiled with the host's headers and linked with the libstdc++ for musl. */
export async function muslRedis(debian: DebianArchive): Promise<string> {
  return keptPart('redis-8.0.2', async (tree) => {
    const build = await buildFolder(await debian.source('redis'), tree);
    const options = [
      'MALLOC=libc',
      `CC=${(await muslCompiler()).join(' ')}`,
      'LD=musl-gcc',
      'CXX=g++ -fno-exceptions -fno-rtti',
      'OPTIMIZATION=-O2',
      'USE_SYSTEMD=no',
      'BUILD_TLS=no',
    ];
    const programs = ['redis-server', 'redis-cli', 'redis-check-aof'];
    await runCommand('nice', ['make', '-C', 'src', ...options, ...programs], { cwd: build, remedy });
    for (const program of programs)
      await install(path.join(build, 'src', program), tree, `usr/bin/${program}`);
  });
}

export async function muslKmod(debian: DebianArchive): Promise<string> {
  return keptPart('kmod-34', async (tree) => {
    const build = await buildFolder(await debian.source('kmod'), tree);
    const native = path.join(build, 'musl.ini');
    const compiler = (await muslCompiler()).map((word) => `'${word}'`).join(', ');
    await writeFile(
      native,
      `[binaries]\nc = [${compiler}]\nar = 'ar'\nstrip = 'strip'\npkg-config = 'false'\n`,
    );
    const off = ['zstd', 'xz', 'zlib', 'openssl'].map((name) => `-D${name}=disabled`);
    const without = ['manpages', 'build-tests'].map((name) => `-D${name}=false`);
    await runCommand('meson', ['setup', 'musl', '--native-file', native, ...off, ...without], {
      cwd: build,
      remedy,
    });
    await runCommand('nice', ['ninja', '-C', 'musl', '-j', '1', 'kmod'], { cwd: build, remedy });
    await install(path.join(build, 'musl/kmod'), tree, 'bin/kmod');
    await mkdir(path.join(tree, 'sbin'), { recursive: true });
    for (const name of ['depmod', 'insmod', 'lsmod', 'modinfo', 'modprobe', 'rmmod'])
      await symlink('../bin/kmod', path.join(tree, 'sbin', name));
  });
}

export async function muslBubblewrap(debian: DebianArchive): Promise<string> {
  return keptPart('bubblewrap-0.12.0', async (tree) => {
    const capabilities = await buildFolder(await debian.source('libcap2'), `${tree}.libcap`);
    await runCommand(
      'make',
      ['-C', 'libcap', 'CC=musl-gcc', 'BUILD_CC=gcc', 'SHARED=no', 'PTHREADS=no', 'USE_GPERF=no', 'libcap.a'],
      { cwd: capabilities, remedy },
    );
    const build = await buildFolder(await debian.source('bubblewrap'), tree);
    await writeFile(path.join(build, 'config.h'), '#define PACKAGE_STRING "bubblewrap 0.12.0"\n');
    const [compiler, ...flags] = await muslCompiler();
    const more = ['-O2', '-D_GNU_SOURCE', '-include', 'limits.h', '-I.', `-I${capabilities}/libcap/include`];
    const files = '*.c';
    await runCommand(
      'sh',
      [
        '-c',
        `exec nice ${[compiler, ...flags, ...more].join(' ')} -o bwrap ${files} ${capabilities}/libcap/libcap.a`,
      ],
      { cwd: build, remedy },
    );
    await install(path.join(build, 'bwrap'), tree, 'usr/bin/bwrap');
  });
}

/** A copy of the source beside the tree: the kept source stays as it was. */
async function buildFolder(source: string, tree: string): Promise<string> {
  const folder = `${tree}.build`;
  await runCommand('rm', ['-rf', folder], { remedy });
  await cp(source, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

async function install(from: string, tree: string, to: string): Promise<void> {
  const at = path.join(tree, to);
  await mkdir(path.dirname(at), { recursive: true });
  await copyFile(from, at);
  await chmod(at, 0o755);
  await runCommand('strip', [at], { from: 'binutils', remedy });
}
