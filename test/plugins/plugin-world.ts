// Plugins in this process on a real Redis: real processes, without the boundary where this machine cannot make one.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EventDraft, EventId } from '../../src/contracts/event.ts';
import type { EventData } from '../../src/contracts/event-types.ts';
import { levelResources, type PluginManifest } from '../../src/contracts/plugin-manifest.ts';
import { newFeedMemory } from '../../src/plugins/delivery/event-feed.ts';
import { hostSource } from '../../src/plugins/host/host-source.ts';
import { openRegistry } from '../../src/plugins/registry/open-registry.ts';
import { openValidatedBundles } from '../../src/plugins/registry/validated-bundles.ts';
import { openBoundary } from '../../src/plugins/sandbox/open-boundary.ts';
import {
  PluginSession,
  type SessionCounters,
  type SessionEnd,
} from '../../src/plugins/supervise/plugin-session.ts';
import type { PluginWorld } from '../../src/plugins/supervise/plugin-world.ts';
import { Violations } from '../../src/plugins/supervise/violations.ts';
import { systemClock } from '../../src/supervisor/system-clock.ts';
import { openTestBuffer, type TestBuffer, traceparent } from '../buffer/open-test-buffer.ts';
import { recordingLog } from '../support/recording-log.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

export interface Said {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface TestWorld {
  readonly world: PluginWorld;
  readonly buffer: TestBuffer;
  readonly dir: string;
  /** What the plugins' side said of itself. */
  readonly said: readonly Said[];
  /** Plugs with consecutive numbers, spread over `subjects` subjects; resolves once they are stored. */
  appendPlugs(first: number, count: number, subjects: number): Promise<readonly EventId[]>;
}

export async function openTestWorld(t: Cleanup): Promise<TestWorld> {
  const redis = await startRedis(t);
  const buffer = await openTestBuffer(t, { redisSocket: redis.socket, seal: sealWithTrace });
  const dir = await tempDir(t);
  const clock = systemClock(() => true);
  const said: Said[] = [];
  const boundary = await openBoundary({
    runDir: dir,
    hostSource: hostSource(),
    uid: process.getuid?.() ?? 0,
  });
  const notTrusted = {
    ok: false,
    code: 'trust.document-missing',
    reason: 'no bundles in this test',
  } as const;
  const world: PluginWorld = {
    config: { settings: {}, mostPlugins: 16, recycleAfterEvents: 0, recycleAtMemoryPercent: 0 },
    registry: openRegistry(path.join(dir, 'plugins')),
    bundles: await openValidatedBundles({
      dir: path.join(dir, 'code'),
      verify: async () => notTrusted,
      trustKey: async () => 'none',
    }),
    ...{ boundary, insecure: true, disk: null, sysfsRoot: '/sys', devRoot: '/dev' },
    ...{ read: buffer.read, append: buffer.append, onAppended: buffer.onAppended },
    ...{ openConsumer: buffer.openConsumer, removeConsumer: buffer.removeConsumer },
    provenMs: async () => 0,
    ...{ clock, random: Math.random, traceparent: () => traceparent, log: recordingLog() },
    say: (type, _subject, data) => void said.push({ type, data: data as Said['data'] }),
    publish: async () => ({ code: 'mqtt.offline', reason: 'there is none in this test' }),
    installed: () => new Map(),
    onChange: () => undefined,
  };
  return {
    ...{ world, buffer, dir, said },
    appendPlugs(first, count, subjects) {
      const plugs = Array.from({ length: count }, (_, index): EventDraft => {
        const n = first + index;
        const data = { n } as unknown as EventData<'usb.device.added'>;
        return {
          type: 'usb.device.added',
          subject: `usb/1-${1 + (n % subjects)}`,
          observed: clock.now(),
          traceparent,
          data,
        };
      });
      return buffer.append(plugs);
    },
  };
}

export interface TestSession {
  readonly session: PluginSession;
  readonly running: Promise<void>;
  readonly ended: Promise<SessionEnd>;
  /** Why it should be started anew. */
  readonly worn: Promise<string>;
  readonly counters: SessionCounters;
}

export interface SessionMaker {
  /** Another process of the same plugin; its place in the stream and its memory of crashes stay. */
  open(): Promise<TestSession>;
  readonly counters: SessionCounters;
}

/** One plugin, not signed and not stored: its manifest and code are taken as they are. */
export async function sessionMaker(
  { dir, said, world }: TestWorld,
  { code, ...changes }: { readonly code: string } & Partial<PluginManifest>,
): Promise<SessionMaker> {
  const manifest: PluginManifest = {
    ...{
      manifestVersion: 1,
      name: 'probe',
      version: '1.0.0',
      api: '1.0',
      channel: 'stable',
      securityCounter: 0,
    },
    ...{ entry: 'plugin.mjs', level: 'medium', permissions: { emit: ['seen'] }, members: [] },
    subscriptions: ['usb.device.added'],
    ...changes,
  };
  const pluginDir = path.join(dir, `plugin-${manifest.name}`);
  await mkdir(pluginDir, { recursive: true });
  await writeFile(path.join(pluginDir, 'plugin.mjs'), code);
  const memory = newFeedMemory();
  const counters: SessionCounters = { delivered: 0, emitted: 0, parked: 0 };
  const violations = new Violations((data) => (said as Said[]).push({ type: 'security.violation', data }));
  return {
    counters,
    async open() {
      const [running, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<SessionEnd>()];
      const worn = Promise.withResolvers<string>();
      const session = await PluginSession.open({
        ...{ world, memory, counters, violations, settings: {}, resources: levelResources[manifest.level] },
        validated: { manifest, sha256: '', signedBy: [], dir: pluginDir },
        kvFile: path.join(dir, `kv-${manifest.name}`),
        note: ({ level, text }) => world.log[level]({ plugin: manifest.name }, text),
        onRunning: () => running.resolve(),
        onEnd: (end) => ended.resolve(end),
        onWorn: worn.resolve,
      });
      return { session, running: running.promise, ended: ended.promise, worn: worn.promise, counters };
    },
  };
}

function sealWithTrace(draft: EventDraft, id: EventId): string {
  const { data, observed, subject, type } = draft;
  return JSON.stringify({
    ...{
      specversion: '1.0',
      id: `${id.generation}-${id.number}`,
      source: 'urn:autoweave:t:s:a',
      type,
      subject,
    },
    ...{ traceparent: draft.traceparent, uptimems: Math.trunc(observed.uptimeMs), data },
  });
}
