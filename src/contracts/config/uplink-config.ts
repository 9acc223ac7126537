// The broker, and the webhooks. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed, OptionalPath, Secret } from './config-types.ts';
import { WebhookConfig } from './webhook-config.ts';

export const UplinkConfig = Type.Object(
  {
    url: Type.Union([Type.String({ pattern: '^(mqtts?|wss?)://' }), Type.Null()], {
      default: null,
      description:
        'mqtt://, mqtts://, ws:// or wss:// address of the broker; null: events stay in the buffer.',
    }),
    clientId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'Default: tenant/site/name.' }),
    ),
    username: Type.Optional(Type.String({ minLength: 1, description: 'Broker account.' })),
    password: Secret('Of the broker account.'),
    caFile: OptionalPath('PEM; the authorities the broker may be signed by.'),
    certFile: OptionalPath("PEM; this appliance's certificate (mTLS)."),
    keyFile: OptionalPath('PEM; its private key.'),
    proxy: Type.Optional(
      Type.String({
        pattern: '^(http|socks5|socks5h|socks4)://',
        description: 'Proxy to the broker.',
        secret: true,
      }),
    ),
    protocol: Type.Union([Type.Literal('auto'), Type.Literal('5'), Type.Literal('3.1.1')], {
      default: 'auto',
      description: 'auto: MQTT 5, and 3.1.1 where the broker refuses it.',
    }),
    window: Type.Integer({
      minimum: 1,
      maximum: 65_535,
      default: 100,
      description: "Most unacknowledged events; the broker's receive maximum also holds.",
    }),
    keepAliveSeconds: Type.Integer({
      minimum: 5,
      maximum: 65_535,
      default: 30,
      description: 'MQTT keep-alive: how soon a silent connection is noticed.',
    }),
    sessionExpirySeconds: Type.Integer({
      minimum: 0,
      maximum: 4_294_967_295,
      default: 604_800,
      description: 'How long the broker keeps the session after a disconnect (MQTT 5).',
    }),
    connectTimeoutMs: Type.Integer({
      minimum: 1_000,
      default: 10_000,
      description: 'Of one attempt to connect.',
    }),
    backoffMinMs: Type.Integer({
      minimum: 10,
      default: 500,
      description: 'Pause before the first attempt to reconnect; doubles, with jitter.',
    }),
    backoffMaxMs: Type.Integer({
      minimum: 10,
      default: 60_000,
      description: 'Longest pause between attempts to reconnect.',
    }),
    drainEventsPerSecond: Type.Integer({
      minimum: 0,
      default: 0,
      description: 'Most events a second while catching up; 0: no limit.',
    }),
    inboundPerSecond: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 50,
      description:
        'Sustained messages from the broker; four times as many may come at once, more are refused.',
    }),
    webhooks: Type.Array(WebhookConfig, {
      maxItems: 16,
      default: [],
      description: 'HTTP receivers of the events, each with its own place in the buffer.',
    }),
  },
  closed,
);
export type UplinkConfig = Static<typeof UplinkConfig>;
