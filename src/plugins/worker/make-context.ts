// What the plugin's code is given: every wish becomes a question to the daemon, which decides. Runs in the worker.
import type { PluginContext, PluginEvent, PluginLog } from '../../../plugins/api/plugin-api.ts';
import type { FromHost } from '../protocol/from-host.ts';
import type { Requests } from './requests.ts';
import type { SerialSide } from './serial-streams.ts';

const LOG_TEXT_MAX = 4_000;

export function makeContext(options: {
  readonly name: string;
  readonly version: string;
  readonly config: unknown;
  readonly requests: Requests;
  readonly serial: SerialSide;
  readonly signal: AbortSignal;
  readonly say: (message: FromHost) => void;
}): PluginContext {
  const { config, name, requests, serial, signal, version } = options;
  const { ask } = requests;
  const logAt = (level: keyof PluginLog) => (text: string) =>
    options.say({ t: 'log', level, text: String(text).slice(0, LOG_TEXT_MAX) });
  const log: PluginLog = {
    debug: logAt('debug'),
    info: logAt('info'),
    warn: logAt('warn'),
    error: logAt('error'),
  };
  return {
    name,
    version,
    config,
    log,
    signal,
    serial: serial.serial,
    async emit(type, data, { causedBy }: { readonly causedBy?: PluginEvent } = {}) {
      const traceparent = causedBy?.traceparent ?? null;
      return (await ask({ op: 'emit', type, data, traceparent })) as string;
    },
    kv: {
      async get(key) {
        const json = await ask({ op: 'kv.get', key });
        return typeof json === 'string' ? (JSON.parse(json) as unknown) : undefined;
      },
      async set(key, value) {
        await ask({ op: 'kv.set', key, json: JSON.stringify(value) });
      },
      async delete(key) {
        await ask({ op: 'kv.delete', key });
      },
      keys: async () => (await ask({ op: 'kv.keys' })) as readonly string[],
    },
    mqtt: {
      async publish(topic, payload, { retain = false } = {}) {
        await ask({ op: 'mqtt.publish', topic, payload, retain });
      },
    },
    every(periodMs, work) {
      const timer = setInterval(() => {
        Promise.resolve()
          .then(work)
          .catch((cause: unknown) => log.error(`every(${periodMs}): ${String(cause)}`));
      }, periodMs);
      const end = () => clearInterval(timer);
      signal.addEventListener('abort', end);
      return end;
    },
  };
}
