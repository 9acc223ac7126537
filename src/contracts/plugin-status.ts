// What the appliance says of one plugin, wherever it is shown; and what can be done with plugins.
import { type Static, Type } from 'typebox';
import { OrNull } from './or-null.ts';
import { PluginResources, SecurityLevel } from './plugin-manifest.ts';

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

export const PluginStateName = Type.Union([
  Type.Literal('discovered'),
  Type.Literal('validating'),
  Type.Literal('rejected'),
  Type.Literal('loading'),
  Type.Literal('failed'),
  Type.Literal('starting'),
  Type.Literal('running'),
  Type.Literal('stopping'),
  Type.Literal('stopped'),
  Type.Literal('blocked'),
]);
export type PluginStateName = Static<typeof PluginStateName>;

export const PluginStatus = Type.Object(
  {
    name: Type.String(),
    state: PluginStateName,
    reason: Type.String({ description: 'Why it is in that state.' }),
    code: OrNull(Type.String({ description: 'Stable code of a failure or refusal.' })),
    since: Type.String({ description: 'RFC 3339' }),
    clock: Type.Union([Type.Literal('synced'), Type.Literal('unsynced')]),
    enabled: Type.Boolean(),
    version: OrNull(Type.String()),
    previousVersion: OrNull(Type.String({ description: 'What a rollback goes back to.' })),
    fellBack: OrNull(
      Type.Object(
        { version: Type.String(), reason: Type.String(), at: Type.String({ description: 'RFC 3339' }) },
        {
          ...closed,
          description: 'The version that did not stay up, in whose place this one runs again; null: none.',
        },
      ),
    ),
    securityCounter: OrNull(Count),
    signedBy: Type.Array(Type.String({ description: 'Ids of the keys.' })),
    level: OrNull(SecurityLevel),
    limits: OrNull(PluginResources),
    isolation: Type.Object(
      {
        complete: Type.Boolean({ description: 'false: it runs with --insecure-plugins.' }),
        missing: Type.Array(Type.String({ description: 'Layers that are not there, and why.' })),
      },
      closed,
    ),
    memoryBytes: OrNull(Count),
    cpuSeconds: OrNull(Type.Number()),
    starts: Count,
    delivered: Count,
    emitted: Count,
    parked: Count,
    violations: Count,
    position: OrNull(Type.String({ description: 'Up to this event id everything is handled.' })),
  },
  closed,
);
export type PluginStatus = Static<typeof PluginStatus>;

export interface PluginLogLine {
  readonly time: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** What the plugin wrote to its standard output or error is `output`. */
  readonly from: 'plugin' | 'output' | 'appliance';
  readonly text: string;
}

/** Outcome of an administrative act. */
export type PluginAct =
  | { readonly ok: true; readonly plugin: PluginStatus | null; readonly detail: string }
  | { readonly ok: false; readonly code: string; readonly reason: string };

/** What the local control socket and the uplink's commands may ask for. */
export interface PluginControl {
  list(): Promise<readonly PluginStatus[]>;
  /** Verifies, stores, starts; an older version of the same plugin is stopped first and kept for a rollback. */
  install(bundle: Uint8Array, signatureText: string): Promise<PluginAct>;
  enable(name: string): Promise<PluginAct>;
  disable(name: string): Promise<PluginAct>;
  restart(name: string): Promise<PluginAct>;
  rollback(name: string): Promise<PluginAct>;
  remove(name: string): Promise<PluginAct>;
  /** null: there is no such plugin. */
  logs(name: string): readonly PluginLogLine[] | null;
}
