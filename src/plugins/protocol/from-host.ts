// What a plugin's process may say to the daemon, as a closed schema with sizes: all of it is the plugin's word, because its code
// can write to the same descriptor.
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;
const Number_ = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Text = (maxLength: number) => Type.String({ maxLength });
const Key = Type.String({ minLength: 1, maxLength: 128 });

/** JSON text of a value; the daemon never looks into it, except that emitted data must be an object. */
export const maxEmitBytes = 65_536;
export const maxValueBytes = 65_536;
export const maxFrameBytes = 262_144;

export const PluginRequest = Type.Union([
  Type.Object(
    {
      op: Type.Literal('emit'),
      type: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
      data: Type.Record(Type.String(), Type.Unknown()),
      traceparent: Type.Union([
        Type.Null(),
        Type.String({ pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' }),
      ]),
    },
    closed,
  ),
  Type.Object({ op: Type.Literal('kv.get'), key: Key }, closed),
  Type.Object({ op: Type.Literal('kv.set'), key: Key, json: Text(maxValueBytes) }, closed),
  Type.Object({ op: Type.Literal('kv.delete'), key: Key }, closed),
  Type.Object({ op: Type.Literal('kv.keys') }, closed),
  Type.Object(
    {
      op: Type.Literal('mqtt.publish'),
      topic: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
      payload: Text(maxValueBytes),
      retain: Type.Boolean(),
    },
    closed,
  ),
  Type.Object({ op: Type.Literal('serial.list') }, closed),
  Type.Object(
    {
      op: Type.Literal('serial.open'),
      port: Text(64),
      baudRate: Type.Integer({ minimum: 50, maximum: 4_000_000 }),
      dataBits: Type.Union([Type.Literal(7), Type.Literal(8)]),
      parity: Type.Union([Type.Literal('none'), Type.Literal('even'), Type.Literal('odd')]),
      stopBits: Type.Union([Type.Literal(1), Type.Literal(2)]),
    },
    closed,
  ),
  Type.Object({ op: Type.Literal('serial.write'), stream: Number_, base64: Text(87_384) }, closed),
  Type.Object({ op: Type.Literal('serial.close'), stream: Number_ }, closed),
]);
export type PluginRequest = Static<typeof PluginRequest>;

export const FromHost = Type.Union([
  /** The host's main thread runs; the worker is being started. */
  Type.Object({ t: Type.Literal('opened') }, closed),
  /** The plugin's own `start` is through: it may be given events. */
  Type.Object({ t: Type.Literal('running') }, closed),
  /** It threw; or the worker ended by itself. */
  Type.Object({ t: Type.Literal('failed'), why: Text(2_000) }, closed),
  Type.Object({ t: Type.Literal('ack'), n: Number_ }, closed),
  Type.Object({ t: Type.Literal('refuse'), n: Number_, tries: Number_, why: Text(2_000) }, closed),
  Type.Object({ t: Type.Literal('request'), r: Number_, request: PluginRequest }, closed),
  Type.Object(
    {
      t: Type.Literal('log'),
      level: Type.Union([
        Type.Literal('debug'),
        Type.Literal('info'),
        Type.Literal('warn'),
        Type.Literal('error'),
      ]),
      text: Text(4_000),
    },
    closed,
  ),
  /** Answer to `ping` of the host's main thread: how long the worker's loop has been silent. */
  Type.Object(
    { t: Type.Literal('pong'), n: Number_, quietMs: Type.Number({ minimum: 0 }), residentBytes: Number_ },
    closed,
  ),
  Type.Object({ t: Type.Literal('stopped') }, closed),
]);
export type FromHost = Static<typeof FromHost>;
