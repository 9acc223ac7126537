// One installed plugin: its state, and what leads from one state to the next. Every transition is an event with a reason.

import type { Instant } from '../../contracts/clock.ts';
import { formatEventId } from '../../contracts/event.ts';
import type { PluginManifest, PluginResources } from '../../contracts/plugin-manifest.ts';
import type { PluginLogLine, PluginStateName, PluginStatus } from '../../contracts/plugin-status.ts';
import { errorText } from '../../lib/error-text.ts';
import { newFeedMemory } from '../delivery/event-feed.ts';
import * as life from '../lifecycle.ts';
import { PluginError } from '../plugin-error.ts';
import type { PluginRecord } from '../registry/plugin-record.ts';
import { LogRing } from '../services/log-ring.ts';
import { judgeManifest } from './judge-manifest.ts';
import { PluginSession, type SessionCounters, type SessionEnd } from './plugin-session.ts';
import type { PluginWorld } from './plugin-world.ts';
import { RestartPolicy } from './restart-policy.ts';
import { Violations } from './violations.ts';

/** Up for so long it counts as healthy: its failures are forgotten, a new version is kept. */
const HEALTHY_MS = 60_000;
const FAILURES_OF_NEW_VERSION = 3;
const CRASHES_PER_PARKED = 3;

export interface SupervisedPluginOptions {
  readonly world: PluginWorld;
  readonly record: PluginRecord;
  /** It is not to be started again by itself, neither now nor by the next daemon. */
  readonly onBlocked: (refusal: { readonly code: string; readonly reason: string }) => void;
  /** A new version fell several times before it was healthy. */
  readonly onUnhealthy: (why: string) => void;
  readonly onHealthy: () => void;
}

/**
 * INVARIANTS
 * - At most one session; a state that is at rest has none.
 * - Only #to changes the state, and says so.
 */
export class SupervisedPlugin {
  readonly #options: SupervisedPluginOptions;
  readonly #log = new LogRing();
  readonly #policy: RestartPolicy;
  readonly #violations: Violations;
  readonly #memory = newFeedMemory();
  readonly #counters: SessionCounters = { delivered: 0, emitted: 0, parked: 0 };
  #state: life.PluginState = life.discovered;
  #reason = 'it is stored on the appliance';
  #since: Instant;
  #record: PluginRecord;
  #manifest: PluginManifest | null = null;
  #resources: PluginResources | null = null;
  #signedBy: readonly string[] = [];
  #session: PluginSession | null = null;
  #starts = 0;
  /** Its own, since it was last asked to run or was healthy. */
  #falls = 0;
  #retry: NodeJS.Timeout | undefined;
  #healthy: NodeJS.Timeout | undefined;
  /** Set while it is to end: no process is started. */
  #unwanted = false;
  /** Counts what was asked of it: the latest wish holds. */
  #wish = 0;
  #opening: Promise<void> | null = null;
  #watchers = new Set<() => void>();

  constructor(options: SupervisedPluginOptions) {
    const { record, world } = options;
    this.#options = options;
    this.#record = record;
    this.#since = world.clock.now();
    this.#policy = new RestartPolicy(world.random);
    this.#violations = new Violations((violation) => {
      world.log.warn(violation, 'a plugin goes beyond what it may');
      this.#note('warn', `${violation.what}: ${violation.detail} (${violation.action})`);
      world.say('security.violation', `plugin/${record.name}`, violation);
    });
  }

  /** Once, when it is on the shelf. */
  announce(): void {
    this.#tell('discovered');
  }

  get name(): string {
    return this.#record.name;
  }

  get record(): PluginRecord {
    return this.#record;
  }

  get state(): PluginStateName {
    return this.#state.state;
  }

  /** For how long it has been in its state. */
  get forMs(): number {
    return this.#options.world.clock.uptimeMs() - this.#since.uptimeMs;
  }

  get logs(): readonly PluginLogLine[] {
    return this.#log.lines();
  }

  /** The registry has another record of it now. */
  take(record: PluginRecord): void {
    this.#record = record;
  }

  /** From any state at rest; does nothing in others. Resolves when its process was started, or why it was not is known. */
  async start(reason: string): Promise<void> {
    if (!life.isAtRest(this.#state)) return;
    clearTimeout(this.#retry);
    this.#unwanted = false;
    const from = life.validate(this.#state);
    this.#to(from, reason);
    this.#opening = this.#open(from)
      .catch((cause: unknown) => this.#notOpened(cause))
      .finally(() => {
        this.#opening = null;
      });
    await this.#opening;
  }

  /** Resolves when no process of it is left. */
  async stop(reason: string): Promise<void> {
    this.#wish += 1;
    await this.#halt(reason);
  }

  async #halt(reason: string): Promise<void> {
    clearTimeout(this.#retry);
    this.#unwanted = true;
    await this.#opening;
    // One that could not be opened has set it again.
    clearTimeout(this.#retry);
    const state = this.#state;
    if (this.#session !== null && (state.state === 'starting' || state.state === 'running')) {
      this.#to(life.stop(state, reason), reason);
      await this.#session.stop();
    } else if (state.state === 'stopping') await this.#session?.stop();
    else if (life.isAtRest(state) && state.state !== 'stopped') this.#to(life.stopped(state, reason), reason);
  }

  async restart(reason: string): Promise<void> {
    const wish = ++this.#wish;
    if (!life.isAtRest(this.#state)) await this.#halt(reason);
    // Somebody has asked for something else meanwhile; that is what counts.
    if (wish !== this.#wish) return;
    this.#policy.reset();
    this.#falls = 0;
    await this.start(reason);
  }

  block(refusal: { readonly code: string; readonly reason: string }): void {
    if (life.isAtRest(this.#state)) this.#to(life.block(this.#state, refusal, null), refusal.reason);
  }

  /** Resolves once it runs, or does not for a reason that time alone will not mend, or fails. */
  async settled(): Promise<PluginStateName> {
    const isSettled = () => this.#state.state === 'running' || life.isAtRest(this.#state);
    while (!isSettled()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      await promise;
      this.#watchers.delete(resolve);
    }
    return this.#state.state;
  }

  async status(): Promise<PluginStatus> {
    const { boundary, clock, insecure } = this.#options.world;
    const use = (await this.#session?.use()) ?? null;
    const { current, enabled, fellBack, name, previous } = this.#record;
    const position = this.#session?.position ?? null;
    const now = clock.now();
    const sinceMs = now.wallMs - (now.uptimeMs - this.#since.uptimeMs);
    return {
      name,
      state: this.#state.state,
      reason: this.#reason,
      code: 'code' in this.#state ? this.#state.code : null,
      since: new Date(sinceMs).toISOString(),
      clock: now.synced ? 'synced' : 'unsynced',
      enabled,
      version: current.version,
      previousVersion: previous?.version ?? null,
      fellBack: fellBack
        ? { version: fellBack.version, reason: fellBack.reason, at: new Date(fellBack.atMs).toISOString() }
        : null,
      securityCounter: current.securityCounter,
      signedBy: [...this.#signedBy],
      level: this.#manifest?.level ?? null,
      limits: this.#resources,
      isolation: { complete: boundary.missing.length === 0, missing: insecure ? [...boundary.missing] : [] },
      memoryBytes: use?.memoryBytes ?? null,
      cpuSeconds: use === null ? null : use.cpuUsec / 1_000_000,
      starts: this.#starts,
      ...this.#counters,
      violations: this.#violations.total,
      position: position === null ? null : formatEventId(position),
    };
  }

  async #open(from: life.Validating): Promise<void> {
    const { registry, bundles, boundary, config, insecure, installed } = this.#options.world;
    const { name, current } = this.#record;
    const bundle = await registry.read(name, current);
    const validation = await bundles.validate(bundle, current.installedAtMs);
    if (!validation.ok) return this.#to(life.reject(from, validation), validation.reason);
    const { manifest, signedBy } = validation.validated;
    const judgement = judgeManifest(manifest, { config, arch: process.arch, installed: installed() });
    if (!judgement.ok) return this.#to(life.reject(from, judgement), judgement.reason);
    [this.#manifest, this.#resources, this.#signedBy] = [manifest, judgement.resources, signedBy];
    if (boundary.missing.length > 0 && !insecure) {
      const reason = `${boundary.missing.join('; ')}. Plugins run without that only with --insecure-plugins`;
      return this.#to(life.block(from, { code: 'plugins.no-boundary', reason }, null), reason);
    }
    if (this.#unwanted)
      return this.#to(life.stopped(from, 'it is not wanted any more'), 'it is not wanted any more');
    const loading = life.load(from, manifest.version);
    this.#to(loading, 'it may run here');
    await this.#launch(loading, { validated: validation.validated, ...judgement });
  }

  /** Nothing of it is alive. Whatever the cause was, it ends in a state at rest, and others go on. */
  #notOpened(cause: unknown): void {
    const { clock, log } = this.#options.world;
    const state = this.#state;
    const isTransient = !(cause instanceof PluginError) || cause.code === 'plugins.system';
    const code = cause instanceof PluginError ? cause.code : 'plugins.system';
    const refusal = { code, reason: errorText(cause) };
    if (isTransient)
      log.error(
        { plugin: this.name, why: refusal.reason },
        'a plugin could not be started; it is tried again',
      );
    if (state.state !== 'validating' && state.state !== 'loading') return;
    if (isTransient) {
      const { inMs } = this.#policy.failed(clock.uptimeMs());
      const next =
        state.state === 'loading' ? life.fail(state, refusal, inMs) : life.block(state, refusal, inMs);
      this.#to(next, refusal.reason);
      this.#retryIn(inMs, code);
    } else if (state.state === 'validating') this.#to(life.reject(state, refusal), refusal.reason);
    // What cannot be limited is not tried again by itself: nothing would change.
    else this.#to(life.block(state, refusal, null), refusal.reason);
  }

  #retryIn(inMs: number, code: string): void {
    this.#retry = setTimeout(() => void this.start(`tried again after: ${code}`), inMs);
  }

  async #launch(
    loading: life.Loading,
    code: Pick<Parameters<typeof PluginSession.open>[0], 'validated' | 'resources' | 'settings'>,
  ): Promise<void> {
    const { registry } = this.#options.world;
    const session = await PluginSession.open({
      ...{ world: this.#options.world, ...code, memory: this.#memory },
      ...{ counters: this.#counters, violations: this.#violations },
      kvFile: `${registry.folder(this.name)}/kv`,
      note: (line) => {
        const timed = { time: this.#now(), ...line };
        this.#log.add(timed);
        this.#options.world.onLog?.(this.name, timed);
      },
      onRunning: () => this.#isUp(),
      onEnd: (end) => this.#ended(end),
      onWorn: (why) =>
        void this.restart(`recycled: ${why}`).catch((cause: unknown) =>
          this.#options.world.log.error(
            { plugin: this.name, why: errorText(cause) },
            'a plugin could not be recycled',
          ),
        ),
    });
    this.#session = session;
    this.#starts += 1;
    this.#to(life.start(loading), 'its process runs inside its limits');
  }

  #isUp(): void {
    if (this.#state.state !== 'starting') return;
    this.#to(life.run(this.#state), 'its start is through');
    this.#healthy = setTimeout(() => {
      this.#policy.reset();
      this.#falls = 0;
      this.#options.onHealthy();
    }, HEALTHY_MS);
  }

  #ended(end: SessionEnd): void {
    clearTimeout(this.#healthy);
    this.#session = null;
    const state = this.#state;
    if (state.state === 'stopping') this.#to(life.stopped(state, state.reason), state.reason);
    else if (state.state === 'starting' || state.state === 'running') {
      if (end.blocks) {
        this.#to(life.block(state, end, null), end.reason);
        this.#options.onBlocked(end);
      } else this.#failed(state, end);
    }
  }

  #failed(state: life.Starting | life.Running, end: SessionEnd): void {
    const after = this.#policy.failed(this.#options.world.clock.uptimeMs());
    if (end.parked) this.#policy.forgive(CRASHES_PER_PARKED);
    if (after.kind === 'open') {
      const reason = `it failed ${after.failures} times in 10 minutes, last: ${end.reason}`;
      this.#to(life.block(state, { code: 'plugins.circuit-open', reason }, after.inMs), reason);
    } else this.#to(life.fail(state, end, after.inMs), end.reason);
    this.#retryIn(after.inMs, end.code);
    // What the system refused is no fault of the version, and not among these.
    if (!end.parked) this.#falls += 1;
    if (this.#record.onProbation && !end.parked && this.#falls >= FAILURES_OF_NEW_VERSION)
      this.#options.onUnhealthy(end.reason);
  }

  #to(next: life.PluginState, reason: string): void {
    const from = this.#state.state;
    this.#state = next;
    this.#reason = reason;
    this.#since = this.#options.world.clock.now();
    this.#tell(from);
    for (const watcher of this.#watchers) watcher();
  }

  #tell(from: PluginStateName): void {
    const { onChange: _, ...world } = this.#options.world;
    const { name } = this.#record;
    const state = this.#state;
    const reason = this.#reason.slice(0, 2_000);
    const version = 'version' in state ? state.version : this.#record.current.version;
    const data = {
      ...{ name, version, from, reason },
      ...('code' in state && { code: state.code }),
      ...('retryInMs' in state && state.retryInMs !== null && { retryInMs: state.retryInMs }),
    };
    const isTrouble = ['rejected', 'failed', 'blocked'].includes(state.state);
    world.log[isTrouble ? 'warn' : 'info'](
      { plugin: name, version, state: state.state, from, why: reason },
      'plugin',
    );
    this.#note(isTrouble ? 'warn' : 'info', `${state.state}: ${reason}`);
    world.say(`plugin.${state.state}`, `plugin/${name}`, data);
    this.#options.world.onChange(name);
  }

  #note(level: PluginLogLine['level'], text: string): void {
    this.#log.add({ time: this.#now(), level, from: 'appliance', text: text.slice(0, 2_000) });
  }

  #now(): string {
    return new Date(this.#options.world.clock.now().wallMs).toISOString();
  }
}
