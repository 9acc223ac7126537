// USB authorization across folders: what usb/ reads of a device, what the policy says, and what usb/ then does.
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;

/** What decided. The safety floor and the override allow, the guard and an unreadable device block, whatever the rules say. */
export const VerdictSource = Type.Union([
  Type.Literal('rule'),
  Type.Literal('implicit'),
  Type.Literal('floor'),
  Type.Literal('override'),
  Type.Literal('guard'),
  Type.Literal('unreadable'),
]);

export const UsbVerdict = Type.Object(
  {
    target: Type.Union([Type.Literal('allow'), Type.Literal('block'), Type.Literal('reject')]),
    by: VerdictSource,
    line: Type.Optional(Type.Integer({ minimum: 1, description: 'Of the rule file, where a rule decided.' })),
    reason: Type.String({ maxLength: 600, description: 'The rule, or one sentence.' }),
    enforced: Type.Boolean({ description: 'false: only reported, the device works all the same.' }),
  },
  closed,
);
export type UsbVerdict = Static<typeof UsbVerdict>;

/** A device as the kernel shows it before anything is authorized. Bytes are the device's claim. */
export interface UnjudgedDevice {
  /** `usb1` for a root hub. */
  readonly port: string;
  /** null for a root hub. */
  readonly parentPort: string | null;
  /** Path in sysfs of what a root hub belongs to; '' for other devices. */
  readonly parentPath: string;
  readonly address: number;
  readonly descriptors: Uint8Array | null;
  readonly product: Uint8Array | null;
  readonly serial: Uint8Array | null;
  readonly connectType: Uint8Array | null;
  readonly isAuthorized: boolean;
}

/** Asked by usb/, answered by the supervisor, which knows the policy. Synchronous: an answer is a lookup, not work. */
export interface UsbGatekeeper {
  /** null: hands off, whoever decides it is not this program. Parents are asked about before their children. */
  judge(device: UnjudgedDevice): UsbVerdict | null;
  /** A device left its port. */
  forget(port: string): void;
  /** Changes whenever every device has to be judged again. */
  generation(): number;
}
