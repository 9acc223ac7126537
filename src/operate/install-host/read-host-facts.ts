// The host, or a folder that will be one -> the facts the planners decide on. Changes nothing.
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { digestOf } from './digest-of.ts';
import type { HostFacts, Present } from './host-facts.ts';
import { bundleFile, hostFiles } from './host-files.ts';
import { dataFolders, hostLayout, manifestPath, programFolder } from './host-layout.ts';
import { parseManifest } from './install-manifest.ts';
import { inspectNode, type NodeCandidate } from './node-candidates.ts';
import { ancestors } from './plan-install.ts';

const binFolders = ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/usr/local/sbin'];

/** @throws OperateError `operate.bad-manifest` */
export async function readHostFacts(options: {
  /** '/': this host. */
  readonly root: string;
  /** Where Node is, or will be; null: this process's own, then the usual places. */
  readonly node: string | null;
  /** What is installed as the one file; left out: the file this runs from. */
  readonly bundle?: Uint8Array;
}): Promise<HostFacts> {
  const { root } = options;
  const offline = path.resolve(root) !== '/';
  const inRoot = (file: string) => path.join(root, file);
  const from = bundleFile();
  const bundle = options.bundle ?? (from === null ? null : readFileSync(from));
  const manifestBytes = existsSync(inRoot(manifestPath)) ? readFileSync(inRoot(manifestPath), 'utf8') : null;
  const manifest = manifestBytes === null ? null : parseManifest(manifestBytes);

  const files = [
    ...hostLayout(hostFiles(), bundle ?? new Uint8Array(), { kernelLog: true }).map((placed) => placed.path),
    ...(manifest?.entries.map((entry) => entry.path) ?? []),
    `${programFolder}/node`,
    manifestPath,
  ];
  const present = new Map<string, Present>();
  for (const one of new Set([...files.flatMap(ancestors), ...files, ...dataFolders])) {
    const there = presentAt(inRoot(one));
    if (there !== null) present.set(one, there);
  }
  return {
    uid: process.getuid?.() ?? 0,
    offline,
    hasSystemd: existsSync('/run/systemd/system'),
    // What another system will have when it runs is not known.
    hasKernelLog: !offline && isCharacterDevice('/dev/kmsg'),
    hasRedis: binFolders.some((folder) =>
      ['redis-server', 'valkey-server'].some((name) => existsSync(path.join(folder, name))),
    ),
    distributions: readDistributions(inRoot('/etc/os-release')),
    nodes: await nodes(options.node, offline),
    bundle,
    manifest,
    present,
    users: readUsers(inRoot('/etc/passwd')),
  };
}

function isCharacterDevice(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isCharacterDevice() ?? false;
}

function presentAt(file: string): Present | null {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const mode = found.mode & 0o7777;
  if (found.isSymbolicLink()) return { digest: digestOf({ target: readlinkSync(file) }), mode: null };
  if (found.isFile()) return { digest: digestOf(readFileSync(file)), mode };
  return { digest: found.isDirectory() ? 'folder' : 'special', mode };
}

async function nodes(named: string | null, offline: boolean): Promise<NodeCandidate[]> {
  // Another system's Node cannot be asked here, and may be for another processor.
  if (offline) return [{ ok: true, path: named ?? '/usr/bin/node' }];
  const places = named === null ? [process.execPath, '/usr/bin/node', '/usr/local/bin/node'] : [named];
  return Promise.all([...new Set(places)].map(inspectNode));
}

function readDistributions(file: string): string[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return ['ID', 'ID_LIKE'].flatMap((key) => {
    const [, value = ''] = new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text) ?? [];
    return value.split(' ').filter((name) => name !== '');
  });
}

function readUsers(file: string): Set<string> {
  if (!existsSync(file)) return new Set();
  return new Set(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':')[0] ?? ''),
  );
}
