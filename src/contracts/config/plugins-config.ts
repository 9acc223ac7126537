// Plugins: their settings and bounds. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { PluginPolicy } from '../plugin-policy.ts';
import { closed } from './config-types.ts';

export const PluginsConfig = Type.Object(
  {
    settings: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), {
      default: {},
      description: 'By plugin name: the configuration it is given, checked against its configSchema.',
    }),
    policy: Type.Optional(PluginPolicy),
    mostPlugins: Type.Integer({
      minimum: 0,
      maximum: 64,
      default: 16,
      description: 'So many may be installed; 0: none.',
    }),
    recycleAfterEvents: Type.Integer({
      minimum: 0,
      default: 0,
      description: 'A plugin is started anew after so many events; 0: never.',
    }),
    recycleAtMemoryPercent: Type.Integer({
      minimum: 0,
      maximum: 99,
      default: 0,
      description: 'A plugin is started anew when it holds more of its memory limit; 0: never.',
    }),
  },
  closed,
);
export type PluginsConfig = Static<typeof PluginsConfig>;
