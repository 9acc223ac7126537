// All plugins of the appliance: installed, upgraded, rolled back, switched on and off, removed, while the daemon runs.
import type { PluginManifest } from '../../contracts/plugin-manifest.ts';
import type { PluginAct, PluginControl, PluginLogLine } from '../../contracts/plugin-status.ts';
import { errorText } from '../../lib/error-text.ts';
import { PluginError } from '../plugin-error.ts';
import type { StoredBundle } from '../registry/open-registry.ts';
import type { PluginRecord } from '../registry/plugin-record.ts';
import type { Validated } from '../registry/validated-bundles.ts';
import { judgeManifest } from '../supervise/judge-manifest.ts';
import type { PluginWorld } from '../supervise/plugin-world.ts';
import { SupervisedPlugin } from '../supervise/supervised-plugin.ts';
import { type Fall, planInstall, planRollback } from './install-plan.ts';

/** So many start side by side; the others wait. */
const STARTS_AT_ONCE = 8;

/** INVARIANT: acts on plugins are done one after the other; what a plugin does by itself is not. */
export class PluginShelf implements PluginControl {
  readonly #world: PluginWorld;
  readonly #plugins = new Map<string, SupervisedPlugin>();
  #lane: Promise<unknown> = Promise.resolve();
  #stopping = false;

  constructor(world: PluginWorld) {
    this.#world = world;
  }

  get installed(): ReadonlyMap<string, string> {
    return new Map([...this.#plugins].map(([name, { record }]) => [name, record.current.version]));
  }

  get plugins(): readonly SupervisedPlugin[] {
    return [...this.#plugins.values()];
  }

  /** Starts what is stored and enabled. Damaged records are named, and left where they are. */
  async startAll(): Promise<void> {
    const { records, damaged } = await this.#world.registry.list();
    for (const name of damaged)
      this.#world.log.error(
        { plugin: name },
        'the record of a plugin is damaged: it is not started; install it again',
      );
    for (const record of records) this.#add(record);
    const waiting = this.plugins.filter(({ record }) => record.enabled && record.blocked === null);
    for (const plugin of this.plugins) {
      const { blocked, enabled } = plugin.record;
      if (!enabled) await plugin.stop('it is disabled');
      else if (blocked !== null) plugin.block(blocked);
    }
    const starters = Array.from({ length: STARTS_AT_ONCE }, async () => {
      for (let next = waiting.shift(); next !== undefined && !this.#stopping; next = waiting.shift()) {
        await next.start('the appliance starts');
        await next.settled();
      }
    });
    await Promise.all(starters);
  }

  async stopAll(): Promise<void> {
    this.#stopping = true;
    const stopping = this.plugins.map(async (plugin) => {
      try {
        await plugin.stop('the appliance stops');
      } catch (cause) {
        // Others are still to be stopped, and what they said to be stored.
        this.#world.log.error(
          { plugin: plugin.name, why: errorText(cause) },
          'a plugin could not be stopped',
        );
      }
    });
    await Promise.all(stopping);
  }

  /**
   * Who is trusted has changed: what may not run any more ends, what was rejected is looked at again, the others go on undisturbed,
   * and so does this when one of them cannot be dealt with. Blocked ones stay so.
   */
  async recheck(reason: string): Promise<void> {
    await this.#act(null, async () => {
      const { bundles, registry } = this.#world;
      for (const plugin of this.plugins) {
        const { blocked, current, enabled } = plugin.record;
        if (!enabled || blocked !== null) continue;
        const validation = registry
          .read(plugin.name, current)
          .then((bundle) => bundles.validate(bundle, current.installedAtMs));
        // What cannot be read is told by the start that follows.
        const ok = await validation.then((verdict) => verdict.ok).catch(() => false);
        if (ok !== (plugin.state === 'rejected')) continue;
        try {
          await plugin.restart(reason);
          await plugin.settled();
        } catch (cause) {
          // The next one may be the one that must end.
          this.#world.log.error(
            { plugin: plugin.name, why: errorText(cause) },
            'a plugin could not be rechecked',
          );
        }
      }
      return { ok: true, plugin: null, detail: 'rechecked' };
    });
  }

  async list() {
    return Promise.all(this.plugins.map((plugin) => plugin.status()));
  }

  logs(name: string): readonly PluginLogLine[] | null {
    return this.#plugins.get(name)?.logs ?? null;
  }

  install(bytes: Uint8Array, signatureText: string): Promise<PluginAct> {
    return this.#act(null, async () => {
      const nowMs = await this.#judgedAtMs();
      const validation = await this.#world.bundles.validate({ bytes, signatureText }, nowMs);
      if (!validation.ok) return this.#refused(null, validation);
      try {
        return await this.#take(validation.validated, { bytes, signatureText }, nowMs);
      } finally {
        await this.#forgetUnused(validation.validated.manifest.name);
      }
    });
  }

  async #take(
    { manifest, sha256, signedBy }: Validated,
    bundle: StoredBundle,
    nowMs: number,
  ): Promise<PluginAct> {
    const { config } = this.#world;
    const { name, version } = manifest;
    const known = this.#plugins.get(name);
    const plan = planInstall(manifest, sha256, known?.record ?? null, nowMs);
    if (!plan.ok) return this.#refused(manifest, plan);
    if (known === undefined && this.#plugins.size >= config.mostPlugins)
      return this.#refused(manifest, {
        code: 'plugins.too-many',
        reason: `${config.mostPlugins} plugins are installed, as many as plugins.mostPlugins allows`,
      });
    const installed = new Map(this.installed);
    installed.delete(name);
    const judgement = judgeManifest(manifest, { config, arch: process.arch, installed });
    if (!judgement.ok) return this.#refused(manifest, judgement);

    const before = known?.record.current;
    try {
      await this.#world.registry.store(plan.record, bundle);
    } catch (cause) {
      // A version that was removed meanwhile had a higher security counter.
      if (!(cause instanceof PluginError) || cause.code !== 'plugins.downgrade') throw cause;
      return this.#refused(manifest, { code: cause.code, reason: cause.message });
    }
    const gapMs = await this.#replace(plan.record, `version ${version} was installed`);
    const data = {
      name,
      version,
      previous: before?.version ?? null,
      how: plan.how,
      sha256,
      signedBy: [...signedBy],
    };
    this.#world.say('plugin.installed', `plugin/${name}`, { ...data, ...(gapMs !== null && { gapMs }) });
    const again =
      before?.version === version ? `installed again: ${version}` : `upgraded from ${before?.version}`;
    return this.#done(name, plan.how === 'installed' ? 'installed' : again);
  }

  /** A clock that is not synchronized may be years behind: what is signed with a key that is younger would never count. */
  async #judgedAtMs(): Promise<number> {
    const { synced, wallMs } = this.#world.clock.now();
    return synced ? wallMs : Math.max(wallMs, await this.#world.provenMs());
  }

  /** What is unpacked is memory: it is kept of the version that runs and of the one before alone. */
  async #forgetUnused(name: string): Promise<void> {
    const { bundles, log } = this.#world;
    const { current, previous } = this.#plugins.get(name)?.record ?? {};
    const kept = [current, previous].flatMap((version) => (version ? [version.sha256] : []));
    try {
      await bundles.keepOnly(name, kept);
    } catch (cause) {
      log.warn({ plugin: name, why: errorText(cause) }, 'unpacked code of a plugin could not be removed');
    }
  }

  enable(name: string): Promise<PluginAct> {
    return this.#act(name, async (plugin) => {
      await this.#record({ ...plugin.record, enabled: true, blocked: null }, plugin);
      await plugin.restart('it was enabled');
      await plugin.settled();
      return this.#done(name, 'enabled');
    });
  }

  disable(name: string): Promise<PluginAct> {
    return this.#act(name, async (plugin) => {
      await this.#record({ ...plugin.record, enabled: false }, plugin);
      await plugin.stop('it was disabled');
      return this.#done(name, 'disabled');
    });
  }

  restart(name: string): Promise<PluginAct> {
    return this.#act(name, async (plugin) => {
      if (!plugin.record.enabled)
        return { ok: false, code: 'plugins.disabled', reason: `${name} is disabled; enable it first` };
      if (plugin.record.blocked !== null) await this.#record({ ...plugin.record, blocked: null }, plugin);
      await plugin.restart('it was asked to restart');
      await plugin.settled();
      return this.#done(name, 'restarted');
    });
  }

  rollback(name: string): Promise<PluginAct> {
    return this.#act(name, (plugin) => this.#rollBack(plugin, null));
  }

  remove(name: string): Promise<PluginAct> {
    return this.#act(name, async (plugin) => {
      const { registry, removeConsumer } = this.#world;
      const { current } = plugin.record;
      await plugin.stop('it was removed');
      await registry.remove(name);
      this.#plugins.delete(name);
      await this.#forgetUnused(name);
      // The place in the stream goes when Redis is there; nobody waits for that.
      removeConsumer(`plugin:${name}`).catch((cause: unknown) =>
        this.#world.log.debug(
          { plugin: name, why: errorText(cause) },
          'the place in the stream was not removed',
        ),
      );
      this.#world.say('plugin.removed', `plugin/${name}`, { name, version: current.version });
      this.#world.onChange(name);
      return { ok: true, plugin: null, detail: `removed ${current.version}` };
    });
  }

  /** How long neither version ran; null where none ran before. */
  async #replace(record: PluginRecord, reason: string): Promise<number | null> {
    const { clock } = this.#world;
    const plugin = this.#plugins.get(record.name) ?? this.#add(record);
    const isRunning = plugin.state === 'running';
    const beganMs = clock.uptimeMs();
    if (isRunning) await plugin.stop(reason);
    plugin.take(record);
    await plugin.restart(reason);
    const isUp = (await plugin.settled()) === 'running';
    await this.#forgetUnused(record.name);
    return isRunning && isUp ? Math.round(clock.uptimeMs() - beganMs) : null;
  }

  async #rollBack(plugin: SupervisedPlugin, fall: Fall | null): Promise<PluginAct> {
    const { name, record } = plugin;
    const how = fall === null ? 'rolled-back' : 'rolled-back-by-itself';
    const plan = planRollback(record, fall);
    if (!plan.ok) return plan;
    const { current } = plan.record;
    // Before anything stops: a version whose key was revoked since would be rejected, and nothing would run.
    const { bundles, registry } = this.#world;
    const stored = await registry.read(name, current);
    const validation = await bundles.validate(stored, current.installedAtMs);
    if (!validation.ok) {
      const reason = `the earlier ${current.version} may not run any more, ${record.current.version} stays: ${validation.reason}`;
      return { ok: false, code: validation.code, reason };
    }
    await registry.update(plan.record);
    const gapMs = await this.#replace(
      plan.record,
      `${how.replaceAll('-', ' ')} from ${record.current.version}`,
    );
    this.#world.say('plugin.installed', `plugin/${name}`, {
      ...{ name, version: current.version, previous: record.current.version, how, sha256: current.sha256 },
      ...{ signedBy: [...(await plugin.status()).signedBy], ...(gapMs !== null && { gapMs }) },
    });
    return this.#done(name, `rolled back from ${record.current.version} to ${current.version}`);
  }

  #add(record: PluginRecord): SupervisedPlugin {
    const plugin = new SupervisedPlugin({
      world: this.#world,
      record,
      onHealthy: () => {
        if (plugin.record.onProbation)
          this.#follow(plugin, async () => {
            if (plugin.record.onProbation)
              await this.#record({ ...plugin.record, onProbation: false }, plugin);
            return this.#done(record.name, 'kept');
          });
      },
      onUnhealthy: (why) =>
        this.#follow(plugin, async () => {
          if (!plugin.record.onProbation) return this.#done(record.name, 'kept');
          const { wallMs: atMs } = this.#world.clock.now();
          const act = await this.#rollBack(plugin, { reason: why, atMs });
          this.#world.log.warn(
            { plugin: record.name, why, act: act.ok ? act.detail : act.reason },
            'a new version did not stay up',
          );
          return act;
        }),
      onBlocked: ({ code, reason }) =>
        this.#follow(plugin, async () => {
          // Somebody may have enabled it meanwhile.
          if (plugin.state === 'blocked')
            await this.#record({ ...plugin.record, blocked: { code, reason } }, plugin);
          return this.#done(record.name, 'blocked');
        }),
    });
    this.#plugins.set(record.name, plugin);
    plugin.announce();
    return plugin;
  }

  /**
   * What a version did leads to an act on it. It waits for acts of people, and where one of those has put another version in its
   * place, there is nothing left to do.
   */
  #follow(plugin: SupervisedPlugin, work: () => Promise<PluginAct>): void {
    const { name } = plugin;
    const { sha256 } = plugin.record.current;
    const follow = async () =>
      this.#plugins.get(name) === plugin && plugin.record.current.sha256 === sha256
        ? work()
        : this.#done(name, 'another version has taken its place');
    void this.#act(name, follow).then((act) => {
      if (!act.ok)
        this.#world.log.warn(
          { plugin: name, code: act.code, why: act.reason },
          'nothing follows for a plugin',
        );
    });
  }

  async #record(record: PluginRecord, plugin: SupervisedPlugin): Promise<void> {
    await this.#world.registry.update(record);
    plugin.take(record);
  }

  #refused(
    manifest: PluginManifest | null,
    { code, reason }: { readonly code: string; readonly reason: string },
  ): PluginAct {
    const name = manifest?.name ?? 'unknown';
    this.#world.log.warn({ plugin: name, code, why: reason }, 'a plugin was refused');
    this.#world.say('plugin.rejected', manifest === null ? 'plugin' : `plugin/${name}`, {
      ...{
        name,
        version: manifest?.version ?? null,
        from: 'validating',
        reason: reason.slice(0, 2_000),
        code,
      },
    });
    return { ok: false, code, reason };
  }

  async #done(name: string, detail: string): Promise<PluginAct> {
    const plugin = this.#plugins.get(name);
    return { ok: true, plugin: plugin === undefined ? null : await plugin.status(), detail };
  }

  #act(name: null, work: () => Promise<PluginAct>): Promise<PluginAct>;
  #act(name: string, work: (plugin: SupervisedPlugin) => Promise<PluginAct>): Promise<PluginAct>;
  #act(name: string | null, work: (plugin: never) => Promise<PluginAct>): Promise<PluginAct> {
    const done = this.#lane.then(async (): Promise<PluginAct> => {
      if (this.#stopping)
        return { ok: false, code: 'plugins.stopping', reason: 'the appliance is about to stop' };
      const plugin = name === null ? undefined : this.#plugins.get(name);
      if (name !== null && plugin === undefined)
        return { ok: false, code: 'plugins.not-installed', reason: `no plugin named ${name} is installed` };
      try {
        return await work(plugin as never);
      } catch (cause) {
        if (cause instanceof PluginError) return { ok: false, code: cause.code, reason: cause.message };
        const reason = errorText(cause);
        this.#world.log.error({ plugin: name, why: reason }, 'an act on a plugin failed');
        return { ok: false, code: 'plugins.system', reason };
      }
    });
    this.#lane = done.catch(() => undefined);
    return done;
  }
}
