// The tree -> a container image as one archive (OCI image layout 1.0) that docker and podman load. The kernel's modules stay out.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Build, placesOf } from '../build.ts';
import oci from '../oci.json' with { type: 'json' };
import ownership from '../ownership.json' with { type: 'json' };
import { idsOf } from '../root-ids.ts';
import { runCommand } from '../run-command.ts';
import type { Step } from '../step.ts';

const remedy = 'free space and build again';
const levels = { fast: 1, small: 9 } as const;
const kinds = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export const ociArchive: Step = {
  name: '81-oci',
  place: 'out',
  inputs: () => ['image/steps/81-oci.ts', 'image/oci.json', 'image/ownership.json', 'image/root-ids.ts'],
  outputs: (build) => [placesOf(build).handedOut],
  async run(build) {
    const layout = path.join(build.out, 'oci');
    await rm(layout, { recursive: true, force: true });
    await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
    const tar = path.join(build.out, 'layer.tar');
    await writeLayer(build, tar);
    const bytes = await readFile(tar);
    const layer = await blob(layout, kinds.layer, gzipSync(bytes, { level: levels[build.compression] }));
    const config = await blob(
      layout,
      kinds.config,
      Buffer.from(JSON.stringify(configOf(build, sha256(bytes)))),
    );
    const manifest = await blob(
      layout,
      kinds.manifest,
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: kinds.manifest, config, layers: [layer] })),
    );
    const name = `autoweave-edge:${build.version}`;
    const annotations = { 'org.opencontainers.image.ref.name': name, 'io.containerd.image.name': name };
    const index = { schemaVersion: 2, mediaType: kinds.index, manifests: [{ ...manifest, annotations }] };
    await writeFile(path.join(layout, 'index.json'), JSON.stringify(index));
    await writeFile(path.join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    const { handedOut } = placesOf(build);
    await runTar(build, ['--create', '--file', handedOut, '-C', layout, 'oci-layout', 'index.json', 'blobs']);
    await rm(tar);
    build.report(
      `81-oci: ${(bytes.length / 1e6).toFixed(1)} MB -> ${((await stat(handedOut)).size / 1e6).toFixed(1)} MB`,
    );
  },
};

/** Everything belongs to root but a few files and empty folders, which follow: no name may come twice. */
async function writeLayer(build: Build, tar: string): Promise<void> {
  const { root } = placesOf(build);
  const users = await idsOf(root, 'passwd');
  const groups = await idsOf(root, 'group');
  const own = { ...ownership, [oci.home]: ['0750', oci.user, oci.user] };
  await mkdir(path.join(root, oci.home), { recursive: true });
  const later = [...oci.exclude, ...Object.keys(own)].map((at) => `--exclude=.${at}`);
  await runTar(build, [
    ...['--create', '--file', tar, '--owner=0', '--group=0', '--anchored', '--no-wildcards-match-slash'],
    ...[...later, '-C', root, '.'],
  ]);
  for (const [at, [mode = '', user = '', group = '']] of Object.entries(own))
    await runTar(build, [
      ...['--append', '--file', tar, '--no-recursion', `--mode=${mode}`],
      ...[`--owner=${users.get(user)}`, `--group=${groups.get(group)}`, '-C', root, `.${at}`],
    ]);
}

function runTar({ epochSeconds }: Build, args: readonly string[]): Promise<string> {
  const same = ['--format=gnu', '--sort=name', '--numeric-owner', `--mtime=@${epochSeconds}`];
  return runCommand('tar', [...same, ...args], { from: 'tar', remedy });
}

function configOf({ base, epochSeconds, version }: Build, layer: string): object {
  return {
    architecture: oci.architectures[base.architecture],
    os: 'linux',
    created: new Date(epochSeconds * 1_000).toISOString(),
    config: {
      User: oci.user,
      Entrypoint: oci.entrypoint,
      WorkingDir: oci.home,
      Volumes: { [oci.home]: {} },
      ExposedPorts: { [oci.port]: {} },
      StopSignal: 'SIGTERM',
      Env: ['PATH=/usr/sbin:/usr/bin', 'AUTOWEAVE_STATUS_LISTEN=0.0.0.0'],
      Labels: {
        'org.opencontainers.image.title': 'AutoWeave Edge',
        'org.opencontainers.image.version': version,
      },
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  };
}

async function blob(layout: string, mediaType: string, bytes: Buffer) {
  const digest = sha256(bytes);
  await writeFile(path.join(layout, 'blobs/sha256', digest), bytes);
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
