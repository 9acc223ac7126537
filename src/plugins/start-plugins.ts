// The plugins put together, for the supervisor: what is installed is started, what is asked is done, everything ends with `stop`.
import path from 'node:path';
import type { ReportHealth } from '../contracts/health.ts';
import type { PluginMetrics } from '../contracts/metrics.ts';
import type { PluginControl, PluginStatus } from '../contracts/plugin-status.ts';
import { errorText } from '../lib/error-text.ts';
import { dataDisk } from './cgroup/data-disk.ts';
import { PluginShelf } from './control/plugin-shelf.ts';
import { hostSource } from './host/host-source.ts';
import { openRegistry } from './registry/open-registry.ts';
import { openValidatedBundles, type Verify } from './registry/validated-bundles.ts';
import { openBoundary } from './sandbox/open-boundary.ts';
import type { PluginWorld } from './supervise/plugin-world.ts';

const CONFIRM_MS = 15_000;
/** In a state that passes by itself a plugin is this long only where something holds it. */
const PASSING_MS = 60_000;

export interface StartPluginsOptions
  extends Omit<
    PluginWorld,
    'registry' | 'bundles' | 'boundary' | 'disk' | 'installed' | 'onChange' | 'devRoot'
  > {
  readonly stateDir: string;
  readonly runDir: string;
  readonly uid: number;
  readonly verify: Verify;
  /** Changes with what is trusted. */
  readonly trustKey: () => Promise<string>;
  readonly report: ReportHealth;
  readonly metrics: PluginMetrics;
  /** null: it was removed. */
  readonly onStatus: (name: string, status: PluginStatus | null) => void;
}

export interface Plugins {
  readonly control: PluginControl;
  /** What is not trusted any more has ended when it resolves; what is again is started. */
  trustChanged(): Promise<void>;
  /** Every process has ended; within 2 s. */
  stop(): Promise<void>;
}

/** @throws the error of the file system when `runDir` cannot be written: then there are no plugins. */
export async function startPlugins(options: StartPluginsOptions): Promise<Plugins> {
  const { insecure, metrics, report, runDir, stateDir } = options;
  const boundary = await openBoundary({ runDir, hostSource: hostSource(), uid: options.uid });
  const bundles = await openValidatedBundles({
    dir: path.join(runDir, 'plugin-code'),
    verify: options.verify,
    trustKey: options.trustKey,
  });
  const world: PluginWorld = {
    ...options,
    ...{ boundary, bundles, devRoot: '/dev' },
    registry: openRegistry(path.join(stateDir, 'plugins')),
    disk: await dataDisk(stateDir).catch(() => null),
    installed: () => shelf.installed,
    onChange: (name) => changed(name),
  };
  const shelf = new PluginShelf(world);

  let notStarted: string | null = null;
  const confirm = () => {
    const states = shelf.plugins.map(({ state }) => state);
    const bad = shelf.plugins.filter(
      ({ forMs, state }) =>
        ['failed', 'blocked', 'rejected'].includes(state) ||
        (['validating', 'loading', 'stopping'].includes(state) && forMs > PASSING_MS),
    );
    const running = states.filter((state) => state === 'running').length;
    metrics.running.set(running);
    metrics.blocked.set(states.filter((state) => state === 'blocked').length);
    const { missing } = boundary;
    const names = bad.map(({ name, state }) => `${name} is ${state}`).join(', ');
    const figure = `${running} of ${states.length} plugins run`;
    if (notStarted !== null) report('down', `the installed plugins could not be started: ${notStarted}`);
    else if (missing.length > 0 && insecure)
      report('degraded', `INSECURE, as started with --insecure-plugins: ${missing.join('; ')}. ${figure}`);
    else if (missing.length > 0 && states.length > 0)
      report('down', `no plugin is started: ${missing.join('; ')}`);
    else if (bad.length > 0) report('degraded', `${names}; \`autoweave plugin list\` says why`);
    else report('ok', states.length === 0 ? 'no plugin is installed' : figure);
  };
  const changed = (name: string) => {
    confirm();
    const plugin = shelf.plugins.find((each) => each.name === name);
    if (plugin === undefined) options.onStatus(name, null);
    else void plugin.status().then((status) => options.onStatus(name, status));
  };

  if (boundary.missing.length > 0)
    options.log.warn(
      { missing: boundary.missing, insecure },
      insecure
        ? 'INSECURE: plugins run without their boundary, as asked'
        : 'plugins cannot be bounded here: none is started',
    );
  confirm();
  const timer = setInterval(confirm, CONFIRM_MS);
  const starting = shelf.startAll().catch((cause: unknown) => {
    notStarted = errorText(cause);
    options.log.error({ why: notStarted }, 'the installed plugins could not be started');
    confirm();
  });
  return {
    control: shelf,
    trustChanged: () => shelf.recheck('another trust document is in force'),
    async stop() {
      clearInterval(timer);
      await shelf.stopAll();
      await starting;
    },
  };
}
