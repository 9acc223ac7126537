// USB authorization. A section of the configuration (../config.ts).
import { type Static, Type } from 'typebox';
import { closed, Path } from './config-types.ts';

export const PolicyConfig = Type.Object(
  {
    mode: Type.Union([Type.Literal('off'), Type.Literal('report'), Type.Literal('enforce')], {
      default: 'off',
      description:
        'off: USB authorization is left alone. report: every device is authorized, verdicts are only told. enforce: verdicts hold.',
    }),
    file: Path('Rules in the language of usbguard-rules.conf(5).', '/var/lib/autoweave/rules.conf'),
    implicitTarget: Type.Union([Type.Literal('allow'), Type.Literal('block'), Type.Literal('reject')], {
      default: 'block',
      description: 'For devices that no rule matches.',
    }),
    guard: Type.Union([Type.Literal('off'), Type.Literal('report'), Type.Literal('block')], {
      default: 'report',
      description: 'What becomes of a device that behaves like an attack, whatever the rules say.',
    }),
    guardScore: Type.Integer({
      minimum: 1,
      maximum: 1_000,
      default: 100,
      description: 'From this sum of evidence on a device counts as an attack.',
    }),
    overrideFile: Path(
      'While it exists every device is authorized; only somebody at the computer can make it.',
      '/run/autoweave-config/usb-override',
    ),
    overrideMinutes: Type.Integer({
      minimum: 1,
      maximum: 240,
      default: 15,
      description: 'How long that lasts at most.',
    }),
  },
  closed,
);
export type PolicyConfig = Static<typeof PolicyConfig>;
