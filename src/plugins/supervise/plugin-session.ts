// One run of a plugin's process with all that belongs to it: leaf, link, answers to its requests, its events. Begins with a
// validated bundle, ends exactly once, with a reason and nothing left behind.
import type { Cursor } from '../../contracts/buffer.ts';
import { type EventId, formatEventId } from '../../contracts/event.ts';
import type { PluginResources, SecurityLevel } from '../../contracts/plugin-manifest.ts';
import type { PluginLogLine } from '../../contracts/plugin-status.ts';
import { errorText } from '../../lib/error-text.ts';
import { leafLimits } from '../cgroup/leaf-limits.ts';
import { type Leaf, openLeaf } from '../cgroup/open-leaf.ts';
import { EventFeed, type FeedMemory } from '../delivery/event-feed.ts';
import { wantsEvent } from '../delivery/wants-event.ts';
import type { FromHost } from '../protocol/from-host.ts';
import type { Validated } from '../registry/validated-bundles.ts';
import { launchHost } from '../sandbox/launch-host.ts';
import { type AnswerRequest, createAnswers } from '../services/answer-request.ts';
import { type KvStore, openKvStore } from '../services/kv-store.ts';
import { createSerialService, type SerialService } from '../services/serial-service.ts';
import { HostLink, type ProcessEnd, type Violation } from './host-link.ts';
import type { PluginWorld } from './plugin-world.ts';
import { StartLimit } from './start-limit.ts';
import type { Violations } from './violations.ts';
import { wasKilled } from './was-killed.ts';

const START_LIMIT_MS = 30_000;
const EVENT_TRIES = 3;
const TMP_BYTES = 16 * 1024 * 1024;
/** Of memory.max, for V8's old space; the rest of the process needs its part too. */
const HEAP_SHARE = 0.6;
const REQUESTS_MAX = 256;
const MIB = 1024 * 1024;

export interface SessionEnd {
  readonly code: string;
  readonly reason: string;
  /** It is not to be started again by itself. */
  readonly blocks: boolean;
  /** An event was put aside that had ended it several times. */
  readonly parked: boolean;
  readonly asked: boolean;
}

export interface SessionCounters {
  delivered: number;
  emitted: number;
  parked: number;
}

export interface SessionOptions {
  readonly world: PluginWorld;
  readonly validated: Validated;
  readonly resources: PluginResources;
  readonly settings: unknown;
  readonly kvFile: string;
  readonly memory: FeedMemory;
  readonly counters: SessionCounters;
  readonly violations: Violations;
  readonly note: (line: Omit<PluginLogLine, 'time'>) => void;
  readonly onRunning: () => void;
  readonly onEnd: (end: SessionEnd) => void;
  /** The plugin has grown or handled enough to be started anew. */
  readonly onWorn: (why: string) => void;
}

interface Doom {
  readonly code: string;
  readonly reason: string;
  readonly blocks: boolean;
  readonly sinceMs: number;
}

export class PluginSession {
  readonly #options: SessionOptions;
  readonly #leaf: Leaf | null;
  readonly #kv: KvStore | null;
  readonly #serial: SerialService;
  readonly #answer: AnswerRequest;
  readonly #link: HostLink;
  readonly #emitting = new Set<Promise<unknown>>();
  readonly #startLimit: StartLimit;
  readonly #finished = Promise.withResolvers<void>();
  #feed: EventFeed | null = null;
  #cursor: Cursor | null = null;
  #requests = 0;
  #isRunning = false;
  #failure: string | null = null;
  #doom: Doom | null = null;
  #asked = false;
  #handled = 0;
  #isWorn = false;

  /** @throws PluginError `plugins.limit-not-set`; nothing was started then. */
  static async open(options: SessionOptions): Promise<PluginSession> {
    const { resources, validated, world } = options;
    const { name, permissions } = validated.manifest;
    const kv =
      permissions.kv === undefined ? null : await openKvStore(options.kvFile, permissions.kv.maxBytes);
    const { branch } = world.boundary;
    const leaf = branch === null ? null : await openLeaf(branch, name, leafLimits(resources, world.disk));
    return new PluginSession(options, leaf, kv);
  }

  private constructor(options: SessionOptions, leaf: Leaf | null, kv: KvStore | null) {
    const { resources, settings, validated, world } = options;
    const { entry, level, name, permissions, version } = validated.manifest;
    this.#options = options;
    this.#leaf = leaf;
    this.#kv = kv;
    this.#serial = createSerialService({
      allowed: permissions.serial,
      sysfsRoot: world.sysfsRoot,
      devRoot: world.devRoot,
      send: (message) => this.#link.send(message),
    });
    this.#answer = createAnswers({
      ...{ name, permissions, kv, serial: this.#serial },
      ...{ append: world.append, clock: world.clock, traceparent: world.traceparent },
      publish: (topic, payload, retain) => world.publish(name, topic, payload, retain),
      onDenied: (detail) => this.#violated({ what: 'permission', detail, isFatal: level === 'high' }),
      onEmitted: (stored) => {
        options.counters.emitted += 1;
        this.#emitting.add(stored);
        const settled = () => void this.#emitting.delete(stored);
        stored.then(settled, settled);
      },
    });
    const { clock } = world;
    const host = launchHost({
      boundary: world.boundary,
      leaf,
      pluginDir: validated.dir,
      tmpBytes: TMP_BYTES,
    });
    this.#link = new HostLink({
      ...{ host, leaf, level, clock },
      handlers: {
        onMessage: (message) => this.#take(message),
        onViolation: (violation) => this.#violated(violation),
        onOutput: (text) => options.note({ level: 'info', from: 'output', text }),
        onUnresponsive: (why) => {
          this.#violated({ what: 'unresponsive', detail: why, isFatal: false });
          this.#kill({ code: 'plugins.unresponsive', reason: why, blocks: false }, 'terminate');
        },
        onEnd: (end) => void this.#finish(end),
      },
    });
    this.#link.send({
      ...{ t: 'open', name, version, entry, config: settings, tries: EVENT_TRIES },
      heapMiB: Math.floor((resources.memoryMaxBytes * HEAP_SHARE) / MIB),
    });
    this.#startLimit = new StartLimit({
      limitMs: START_LIMIT_MS,
      heldBackMs: async () => {
        const use = await this.use();
        return use === null ? null : use.throttledUsec / 1_000;
      },
      onOver: () => {
        const reason = `its start was not through after ${START_LIMIT_MS} ms (without what cpu.max held it back)`;
        this.#kill({ code: 'plugins.start-timeout', reason, blocks: false }, 'terminate');
      },
    });
  }

  /** Resolves when nothing of it is left; `onEnd` was called then. */
  async stop(): Promise<void> {
    this.#asked = true;
    this.#feed?.pause();
    await this.#link.end(this.#isRunning ? 'stop' : 'terminate');
    await this.#finished.promise;
  }

  /** As a crash, for drills: nothing is asked, nothing is waited for. */
  kill(signal: 'SIGKILL'): void {
    this.#link.signal(signal);
  }

  async use() {
    return (await this.#leaf?.use().catch(() => null)) ?? null;
  }

  get position(): EventId | null {
    return this.#cursor?.position ?? null;
  }

  get #level(): SecurityLevel {
    return this.#options.validated.manifest.level;
  }

  #take(message: FromHost): void {
    switch (message.t) {
      case 'opened':
        break;
      case 'running':
        if (this.#isRunning) this.#forged('says twice that it runs');
        else this.#isUp();
        break;
      case 'failed':
        this.#failure ??= message.why;
        break;
      case 'ack':
        if (this.#feed === null) this.#forged('acknowledges an event before it was given one');
        else this.#feed.acknowledge(message.n);
        break;
      case 'refuse':
        if (this.#feed === null) this.#forged('refuses an event before it was given one');
        else this.#feed.refuse(message.n, message.tries, message.why);
        break;
      case 'request':
        this.#serve(message);
        break;
      case 'log':
        this.#options.note({ level: message.level, from: 'plugin', text: message.text });
        break;
      case 'pong':
        void this.#weigh(message.residentBytes);
        break;
      case 'stopped':
        break;
    }
  }

  #isUp(): void {
    this.#isRunning = true;
    this.#startLimit.clear();
    this.#options.onRunning();
    void this.#startFeed();
  }

  /** No async function: while one waits, what it was given stays in memory. */
  #serve({ r, request }: Extract<FromHost, { t: 'request' }>): void {
    if (this.#requests >= REQUESTS_MAX) {
      const reason = `${REQUESTS_MAX} requests are not answered yet; wait for some of them`;
      this.#link.send({ t: 'answer', r, ok: false, code: 'request.too-many', reason });
      return;
    }
    this.#requests += 1;
    void this.#answer(request).then((answer) => {
      this.#requests -= 1;
      this.#link.send({ t: 'answer', r, ...answer });
    });
  }

  async #startFeed(): Promise<void> {
    const { counters, memory, validated, world } = this.#options;
    const { name, subscriptions, version } = validated.manifest;
    if (subscriptions.length === 0) return;
    let cursor: Cursor;
    try {
      cursor = await world.openConsumer(`plugin:${name}`, { from: 'now', mayExpire: true });
    } catch (cause) {
      // The buffer was stopped, and the plugin is about to be.
      world.log.debug({ plugin: name, why: errorText(cause) }, 'no events for the plugin');
      return;
    }
    this.#cursor = cursor;
    if (this.#asked || this.#doom !== null) return;
    this.#feed = new EventFeed({
      ...{ cursor, memory, read: world.read, onAppended: world.onAppended, clock: world.clock },
      tries: EVENT_TRIES,
      wants: wantsEvent(name, subscriptions),
      send: (n, { json }) => this.#link.send({ t: 'event', n, json }),
      emitted: () => (this.#emitting.size === 0 ? null : Promise.allSettled(this.#emitting)),
      onDelivered: () => {
        counters.delivered += 1;
        this.#handled += 1;
        const most = world.config.recycleAfterEvents;
        if (most > 0 && this.#handled >= most) this.#worn(`it has handled ${most} events`);
      },
      onParked: ({ event, tries, why }) => {
        counters.parked += 1;
        const id = formatEventId(event.id);
        const text = `event ${id} (${event.type}) was put aside after ${tries} tries: ${why}`;
        this.#options.note({ level: 'warn', from: 'appliance', text: text.slice(0, 2_000) });
        world.log.warn(
          { plugin: name, event: id, why },
          'a plugin could not handle an event; it goes on without it',
        );
        world.say('plugin.parked', `plugin/${name}`, {
          ...{ name, version, event: id, type: event.type, tries, why: why.slice(0, 1_000) },
        });
      },
      onStuck: (why) => this.#kill({ code: 'plugins.unresponsive', reason: why, blocks: false }, 'terminate'),
      onForged: (detail) => this.#forged(detail),
    });
  }

  async #weigh(residentBytes: number): Promise<void> {
    const { resources, world } = this.#options;
    const percent = world.config.recycleAtMemoryPercent;
    if (percent === 0) return;
    // Both say too much: its own figure counts what all plugins share, the group's what the kernel can take back.
    const bytes = Math.min(residentBytes, (await this.use())?.memoryBytes ?? residentBytes);
    if (bytes * 100 > resources.memoryMaxBytes * percent)
      this.#worn(`it holds ${Math.round(bytes / MIB)} MiB, more than ${percent} % of its limit`);
  }

  #worn(why: string): void {
    if (this.#isWorn) return;
    this.#isWorn = true;
    this.#options.onWorn(why);
  }

  #forged(detail: string): void {
    this.#violated({ what: 'message', detail, isFatal: true });
  }

  #violated(
    violation: Omit<Violation, 'what'> & { readonly what: Violation['what'] | 'permission' | 'unresponsive' },
  ): void {
    const { validated, violations, world } = this.#options;
    const { name } = validated.manifest;
    const { detail, isFatal, what } = violation;
    const slowed = what === 'rate' && this.#level !== 'low';
    const action = isFatal
      ? 'blocked'
      : what === 'unresponsive'
        ? 'killed'
        : slowed
          ? 'throttled'
          : 'reported';
    violations.add({ plugin: name, what, detail, action }, world.clock.uptimeMs());
    if (isFatal)
      this.#kill({ code: 'plugins.violation', reason: `${what}: ${detail}`, blocks: true }, 'cgroup.kill');
  }

  #kill(doom: Omit<Doom, 'sinceMs'>, from: 'terminate' | 'cgroup.kill'): void {
    if (this.#doom !== null) return;
    this.#doom = { ...doom, sinceMs: this.#options.world.clock.uptimeMs() };
    this.#link
      .end(from)
      .catch((cause: unknown) =>
        this.#options.world.log.error(
          { plugin: this.#options.validated.manifest.name, why: errorText(cause) },
          'a plugin could not be ended',
        ),
      );
  }

  async #finish(end: ProcessEnd): Promise<void> {
    this.#startLimit.clear();
    this.#serial.closeAll();
    const { validated, violations, world } = this.#options;
    const { name } = validated.manifest;
    const nowMs = world.clock.uptimeMs();
    const isOom = (end.use?.oomKills ?? 0) > 0;
    if (isOom)
      violations.add(
        { plugin: name, what: 'memory', detail: 'it reached memory.max', action: 'killed' },
        nowMs,
      );
    if ((end.use?.refusedPids ?? 0) > 0)
      violations.add(
        {
          plugin: name,
          what: 'processes',
          detail: `it was refused ${end.use?.refusedPids} threads or processes`,
          action: 'reported',
        },
        nowMs,
      );
    const { code, reason, blocks } = this.#doom ?? {
      ...whyEnded(end, isOom, this.#failure, this.#isRunning),
      blocks: false,
    };
    if (this.#doom !== null || isOom) {
      const layer = isOom ? 'memory.max' : end.by;
      const ms = Math.round(nowMs - (this.#doom?.sinceMs ?? end.foundMs));
      world.say('security.contained', `plugin/${name}`, {
        plugin: name,
        layer,
        why: reason.slice(0, 1_000),
        ms,
      });
    }
    const parked = this.#asked
      ? false
      : (this.#feed?.crashed(
          reason,
          this.#doom !== null || this.#failure !== null || !wasKilled(end, world.boundary.sandbox !== null),
        ) ?? false);
    this.#feed?.pause();
    await this.#kv?.close();
    this.#options.onEnd({ code, reason, blocks, parked, asked: this.#asked && this.#doom === null });
    this.#finished.resolve();
  }
}

function whyEnded(end: ProcessEnd, isOom: boolean, failure: string | null, isRunning: boolean) {
  if (isOom)
    return { code: 'plugins.out-of-memory', reason: 'it needed more memory than it may have (memory.max)' };
  if (failure !== null)
    return { code: isRunning ? 'plugins.exited' : 'plugins.code-failed', reason: failure };
  const how = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}`;
  return isRunning
    ? { code: 'plugins.exited', reason: `its process ended by itself (${how})` }
    : { code: 'plugins.start-failed', reason: `its process ended before it ran (${how}); its log says more` };
}
