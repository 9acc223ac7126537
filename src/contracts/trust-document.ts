// Who is trusted for what: a versioned document that its own root keys sign, carried as `{ document, signatures }`. Comes with
// flashing or provisioning first, and from then on each version hands over to the next.
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;

/** A public key as `minisign -G` prints it. */
export const PublicKeyLine = Type.String({ pattern: '^RW[A-Za-z0-9+/]{54}$' });
const instantPattern = '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$';
const Instant = Type.String({ pattern: instantPattern });
/** No control characters, no invisible ones: it is printed to terminals. */
const printable = '^\\P{C}+$';
const Reason = Type.String({ pattern: printable, maxLength: 200 });

export const TrustKey = Type.Object(
  {
    key: PublicKeyLine,
    note: Type.Optional(Type.String({ pattern: printable, maxLength: 80, description: 'Whose it is.' })),
    validFrom: Type.Optional(Instant),
    validUntil: Type.Optional(
      Type.String({
        pattern: instantPattern,
        description: 'What it signed is accepted until then; what was installed before goes on.',
      }),
    ),
  },
  closed,
);

export const TrustRole = Type.Object(
  {
    threshold: Type.Integer({ minimum: 1, maximum: 16, description: 'So many different keys must sign.' }),
    keys: Type.Array(TrustKey, { maxItems: 64 }),
  },
  closed,
);

export const TrustDocument = Type.Object(
  {
    format: Type.Literal('autoweave-trust-1'),
    version: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    issued: Instant,
    expires: Instant,
    roles: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }), TrustRole, {
      ...closed,
      maxProperties: 32,
      description:
        '`root` signs this document and the next; `publisher` plugins; `image` disk images; `update` over-the-air updates.',
    }),
    revoked: Type.Object(
      {
        keys: Type.Array(Type.Object({ key: PublicKeyLine, since: Instant, reason: Reason }, closed), {
          maxItems: 1_024,
        }),
        content: Type.Array(
          Type.Object(
            { sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }), since: Instant, reason: Reason },
            closed,
          ),
          { maxItems: 4_096 },
        ),
      },
      closed,
    ),
  },
  closed,
);
export type TrustDocument = Static<typeof TrustDocument>;

/** What is in a file: the signed text as it was signed, and what `minisign` would have written beside it, once a signer. */
export const TrustEnvelope = Type.Object(
  {
    document: Type.String({ maxLength: 1_048_576 }),
    signatures: Type.Array(Type.String({ maxLength: 10_240 }), { maxItems: 16 }),
  },
  closed,
);
export type TrustEnvelope = Static<typeof TrustEnvelope>;
