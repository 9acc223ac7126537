// What the LEDs are told: health, that somebody asked which box this is, that a plugin is being written. On the daemon's thread.
import type { Clock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config.ts';
import type { HealthReport, ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { PluginAct, PluginControl } from '../contracts/plugin-status.ts';
import type { LedState } from '../status/leds/led-states.ts';
import { type Leds, startLeds } from '../status/leds/start-leds.ts';

export interface ApplianceLeds extends Pick<Leds, 'look' | 'stop'> {
  /** What they say now, and why, in words. */
  now(): { readonly state: LedState; readonly reason: string };
  identify(seconds: number): void;
  /** The same plugins; while one is installed or rolled back, the LEDs say that an update is written. */
  readonly plugins: PluginControl | null;
}

export function startApplianceLeds(options: {
  readonly config: { readonly leds: Config['leds']; readonly uplink: Pick<Config['uplink'], 'url'> };
  readonly clock: Clock;
  readonly plugins: PluginControl | null;
  readonly health: () => HealthReport;
  readonly report: ReportHealth;
  readonly log: Log;
}): ApplianceLeds {
  const { clock, config, health, log, plugins, report } = options;
  let identifyUntilMs = 0;
  let updates = 0;
  const activity = () => (clock.uptimeMs() < identifyUntilMs ? 'identify' : updates > 0 ? 'updating' : null);
  const leds = startLeds({
    config: config.leds,
    circumstances: () => ({
      health: health(),
      activity: activity(),
      brokerConfigured: config.uplink.url !== null,
    }),
    report,
    log,
  });
  const updating = async (act: () => Promise<PluginAct>): Promise<PluginAct> => {
    updates += 1;
    leds.look();
    try {
      return await act();
    } finally {
      updates -= 1;
      leds.look();
    }
  };
  return {
    look: leds.look,
    stop: leds.stop,
    now() {
      const state = leds.state();
      return { state, reason: reasons[state] ?? `health is ${health().state}` };
    },
    identify(seconds) {
      identifyUntilMs = clock.uptimeMs() + seconds * 1_000;
      leds.look();
      setTimeout(leds.look, seconds * 1_000 + 50).unref();
    },
    plugins: plugins === null ? null : withUpdates(plugins, updating),
  };
}

const reasons: Partial<Readonly<Record<LedState, string>>> = {
  identify: 'somebody asked which box this is',
  updating: 'a plugin is being written',
};

function withUpdates(
  plugins: PluginControl,
  updating: (act: () => Promise<PluginAct>) => Promise<PluginAct>,
): PluginControl {
  return {
    list: () => plugins.list(),
    logs: (name) => plugins.logs(name),
    enable: (name) => plugins.enable(name),
    disable: (name) => plugins.disable(name),
    restart: (name) => plugins.restart(name),
    remove: (name) => plugins.remove(name),
    rollback: (name) => updating(() => plugins.rollback(name)),
    install: (bundle, signatureText) => updating(() => plugins.install(bundle, signatureText)),
  };
}
