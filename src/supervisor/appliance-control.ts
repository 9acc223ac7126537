// What page, API and local socket may ask for, joined from the parts that do it.
import { arch, cpus, freemem, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { redactConfig } from '../config/redact-config.ts';
import type {
  ActVerdict,
  ApplianceControl,
  ApplianceFacts,
  LogLine,
} from '../contracts/appliance-control.ts';
import type { BufferUsage } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { Config } from '../contracts/config.ts';
import type { HealthReport } from '../contracts/health.ts';
import type { PluginControl } from '../contracts/plugin-status.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { LedState } from '../status/leds/led-states.ts';
import type { ApplianceLeds } from './appliance-leds.ts';
import type { GivenVerdict } from './usb-gatekeeper.ts';

const levels: readonly LogLine['level'][] = ['debug', 'info', 'warn', 'error'];
const REDACTED = '[redacted]';

export interface ControlParts
  extends Pick<ApplianceControl, 'judgeDevice' | 'setUp' | 'askMachine' | 'trust'> {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly plugins: () => PluginControl | null;
  readonly health: () => HealthReport;
  readonly devices: () => readonly UsbDevice[];
  readonly usage: () => BufferUsage;
  readonly recentLog: () => readonly string[];
  readonly led: ApplianceLeds['now'];
  readonly identify: (seconds: number) => void;
  readonly verdictAt: (port: string) => GivenVerdict | null;
}

export function createApplianceControl(parts: ControlParts): ApplianceControl {
  const { clock, config, health, plugins } = parts;
  const startedMs = clock.uptimeMs();
  let led: { state: LedState | null; sinceMs: number } = { state: null, sinceMs: startedMs };
  /** An instant of this run as the clock says now: one that was set meanwhile sets it right. */
  const timeOf = (uptimeMs: number) => {
    const now = clock.now();
    return new Date(now.wallMs - (now.uptimeMs - uptimeMs)).toISOString();
  };
  const logs: ApplianceControl['logs'] = ({ level, limit }) =>
    parts
      .recentLog()
      .map(toLogLine)
      .filter((line) => levels.indexOf(line.level) >= levels.indexOf(level))
      .slice(-limit);
  const facts = (): ApplianceFacts => {
    const { parts: healthParts } = health();
    const uplink = healthParts.uplink;
    const usage = parts.usage();
    const shown = parts.led();
    if (shown.state !== led.state) led = { state: shown.state, sinceMs: clock.uptimeMs() };
    return {
      uplink: {
        connected: config.uplink.url !== null && uplink?.state === 'ok',
        since: uplink?.since ?? timeOf(startedMs),
        detail: uplink?.why ?? 'has not reported yet',
      },
      buffer: {
        oldestAgeSeconds: usage.oldestAgeSeconds,
        bytes: usage.streamBytes,
        archiveBytes: usage.archiveBytes,
        archivedEvents: usage.archivedEvents,
      },
      led: { ...shown, since: timeOf(led.sinceMs) },
      uptimeSeconds: Math.round((clock.uptimeMs() - startedMs) / 1_000),
      provisioned: config.uplink.url !== null,
    };
  };
  const settings = () => {
    const hidden: string[] = [];
    return { config: hide(redactConfig(config), '', hidden), hidden };
  };

  return {
    plugins,
    trust: parts.trust,
    facts,
    logs,
    settings,
    judgeDevice: parts.judgeDevice,
    verdictAt(port) {
      const given = parts.verdictAt(port);
      return given === null ? null : { verdict: given.verdict, since: timeOf(given.sinceUptimeMs) };
    },
    setUp: parts.setUp,
    askMachine: parts.askMachine,
    identify(seconds): ActVerdict {
      parts.identify(seconds);
      const detail =
        seconds === 0 ? 'the LED says the state again' : `the LED says identify for ${seconds} s`;
      return { ok: true, detail };
    },
    async diagnostics() {
      const document = {
        made: new Date(clock.now().wallMs).toISOString(),
        synchronized: clock.now().synced,
        version: parts.version,
        node: process.versions,
        machine: {
          arch: arch(),
          kernel: release(),
          processors: cpus().length,
          load: loadavg(),
          memory: { total: totalmem(), free: freemem(), own: process.memoryUsage() },
        },
        health: health(),
        facts: facts(),
        settings: settings(),
        devices: parts.devices(),
        plugins: (await plugins()?.list()) ?? [],
        log: logs({ level: 'debug', limit: 500 }),
      };
      return promisify(gzip)(JSON.stringify(document, null, 1));
    },
  };
}

function toLogLine(line: string): LogLine {
  const { level, time, part, msg, ...facts } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const more = Object.keys(facts).length === 0 ? '' : ` ${JSON.stringify(facts)}`;
  return {
    time: String(time),
    level: levels.find((each) => each === level) ?? 'info',
    part: typeof part === 'string' ? part : 'appliance',
    text: `${String(msg)}${more}`,
  };
}

/** Whole secrets become null, and their paths are listed; parts of addresses stay marked in their text. */
function hide(value: unknown, path: string, hidden: string[]): unknown {
  if (value === REDACTED) {
    hidden.push(path);
    return null;
  }
  if (Array.isArray(value)) return value.map((item, index) => hide(item, `${path}.${index}`, hidden));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      hide(item, path === '' ? key : `${path}.${key}`, hidden),
    ]),
  );
}
