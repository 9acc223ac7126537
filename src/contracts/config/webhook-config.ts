// One HTTP receiver of events. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed, OptionalPath } from './config-types.ts';

const WebhookSecret = (description: string) =>
  Type.Optional(
    Type.String({ pattern: '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$', description, secret: true } as const),
  );

export const WebhookConfig = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9-]{0,31}$',
      description: 'Names its place in the buffer, its health and its figures; unique.',
    }),
    url: Type.String({ pattern: '^https?://', description: 'Gets every event by POST.' }),
    secret: WebhookSecret(
      'Signs every request as Standard Webhooks say: whsec_ and the base64 of 24 to 64 random bytes.',
    ),
    previousSecret: WebhookSecret('Signs besides, while the receivers change over to a new secret.'),
    types: Type.Array(Type.String({ pattern: '^([*]|[a-z]+([.][a-z0-9-]+)*([.][*])?)$' }), {
      minItems: 1,
      default: ['*'],
      description: 'Event types it gets: usb.device.added, usb.device.*, *',
    }),
    timeoutMs: Type.Integer({
      minimum: 100,
      maximum: 300_000,
      default: 10_000,
      description: 'A request without an answer for so long has failed.',
    }),
    maxInFlight: Type.Integer({
      minimum: 1,
      maximum: 32,
      default: 1,
      description: 'Requests on their way at once; above 1 they may overtake each other.',
    }),
    batch: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description:
          'Most events of one request, as a CloudEvents batch; left out: one event, not in a list.',
      }),
    ),
    caFile: OptionalPath('PEM; the authorities the receiver may be signed by, in place of the usual ones.'),
    allowPlainHttp: Type.Boolean({
      default: false,
      description: 'Allow http:// to other than loopback and private addresses.',
    }),
    backoffMinMs: Type.Integer({
      minimum: 10,
      default: 1_000,
      description: 'Pause after the first failed request; doubles, with jitter.',
    }),
    backoffMaxMs: Type.Integer({
      minimum: 10,
      maximum: 86_400_000,
      default: 300_000,
      description: 'Longest pause after a failed request, unless the receiver asks for a longer one.',
    }),
  },
  closed,
);
export type WebhookConfig = Static<typeof WebhookConfig>;
