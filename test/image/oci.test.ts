// The container archive of the base alpine: its parts fit together, and its first process does what it says in namespaces of bubblewrap.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { before, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { buildImage } from '../../image/build-image.ts';
import { missingTools } from '../../image/missing-tools.ts';
import { runCommand } from '../../image/run-command.ts';
import { freePort } from '../support/free-port.ts';
import { alpineOfTests, whyNoGuest } from '../support/guest-image.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startSubscriber } from '../support/mqtt-subscriber.ts';
import { suiteCleanup } from '../support/suite-cleanup.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const remedy = 'the archive is damaged';
/** Quiet: 2 s. */
const limitMs = 60_000;

interface Blob {
  readonly digest: string;
  readonly size: number;
}

const noBubblewrap = missingTools(['bwrap']).length > 0 && 'bubblewrap is not installed';

suite('the container archive', { skip: whyNoGuest('alpine') }, () => {
  const cleanup = suiteCleanup();
  let layout: string;

  before(async () => {
    const { handedOut } = await buildImage({
      base: await alpineOfTests(),
      format: 'oci',
      out: path.join(repository, 'out/oci-test'),
      runtime: path.join(repository, 'dist/autoweave.mjs'),
    });
    layout = await tempDir(cleanup);
    await runCommand('tar', ['-xf', handedOut, '-C', layout], { remedy });
  });

  const blob = async ({ digest, size }: Blob) => {
    const bytes = await readFile(path.join(layout, 'blobs', digest.replace(':', '/')));
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, digest);
    assert.equal(bytes.length, size);
    return bytes;
  };
  const parsed = async (of: Blob) => JSON.parse((await blob(of)).toString('utf8'));

  test('every part has the hash and size that the part before it says, and the layer names no file twice [I6]', async () => {
    assert.deepEqual(JSON.parse(await readFile(path.join(layout, 'oci-layout'), 'utf8')), {
      imageLayoutVersion: '1.0.0',
    });
    const index = JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8'));
    const manifest = await parsed(index.manifests[0]);
    const config = await parsed(manifest.config);
    assert.deepEqual([config.architecture, config.os, config.config.User], ['amd64', 'linux', 'autoweave']);
    const layer = gunzipSync(await blob(manifest.layers[0]));
    assert.deepEqual(config.rootfs.diff_ids, [`sha256:${createHash('sha256').update(layer).digest('hex')}`]);
    const names = (
      await runCommand(
        'tar',
        ['-tz', '-f', path.join(layout, 'blobs', manifest.layers[0].digest.replace(':', '/'))],
        { remedy },
      )
    )
      .trim()
      .split('\n');
    const twice = names.filter((name, at) => names.indexOf(name) !== at);
    assert.deepEqual(twice, []);
    assert.ok(
      !names.some((name) => name.startsWith('./usr/lib/modules/')),
      'a container has no kernel of its own',
    );
  });

  test('its first process, not root, runs store and runtime, and ends both in order [I6]', {
    skip: noBubblewrap,
  }, async (t) => {
    const root = await tempDir(t);
    await mkdir(path.join(root, 'root'));
    const broker = await startMosquitto(t);
    const subscriber = await startSubscriber(t, broker.url);
    const index = JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8'));
    const manifest = await parsed(index.manifests[0]);
    const { config } = await parsed(manifest.config);
    const archive = path.join(layout, 'blobs', manifest.layers[0].digest.replace(':', '/'));
    await runCommand('tar', ['-xzf', archive, '--no-same-owner', '-C', path.join(root, 'root')], { remedy });
    const container = await startContainer({
      root: path.join(root, 'root'),
      entrypoint: config.Entrypoint,
      env: [...config.Env, `AUTOWEAVE_UPLINK_URL=${broker.url}`, `AUTOWEAVE_STATUS_PORT=${await freePort()}`],
    });
    t.after(() => container.child.kill('SIGKILL'));
    await until(
      'the start is told',
      () => {
        assert.equal(container.child.exitCode, null, container.said());
        return subscriber.messages.some(({ topic }) => topic.endsWith('/event/system.started'));
      },
      limitMs,
    );
    const ended = once(container.child, 'exit');
    process.kill(container.pid, 'SIGTERM');
    assert.deepEqual(await ended, [0, null], container.said());
    assert.match(container.said(), /Redis is now ready to exit/);
  });
});

interface Container {
  readonly child: ChildProcess;
  /** Of its first process, seen from here. */
  readonly pid: number;
  said(): string;
}

/** As an engine would: own user, processes and files; the network of the host, as the kernel's events need it. */
async function startContainer(options: {
  readonly root: string;
  readonly entrypoint: readonly string[];
  readonly env: readonly string[];
}): Promise<Container> {
  const env = options.env.flatMap((entry) => {
    const at = entry.indexOf('=');
    return ['--setenv', entry.slice(0, at), entry.slice(at + 1)];
  });
  const child = spawn(
    'bwrap',
    [
      ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--uid', '101', '--gid', '101', '--as-pid-1'],
      ...[
        '--die-with-parent',
        '--clearenv',
        '--info-fd',
        '3',
        '--bind',
        options.root,
        '/',
        '--proc',
        '/proc',
      ],
      ...['--dev', '/dev', '--ro-bind', '/sys', '/sys', '--tmpfs', '/tmp', ...env, ...options.entrypoint],
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
  const info = (await json(child.stdio[3] as Readable)) as { readonly 'child-pid': number };
  return { child, pid: info['child-pid'], said: () => said };
}
