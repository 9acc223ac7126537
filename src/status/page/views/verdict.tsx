// What the policy says of a device: as a tone, as a word, and why.
import type { Device } from '../model/answers.ts';
import type { Tone } from '../model/headline.ts';
import { t } from '../strings.ts';
import { Pill } from '../ui/parts.tsx';

const tones = { allow: 'ok', block: 'bad', reject: 'bad' } as const;

export function toneOfVerdict({ verdict, authorized }: Device): Tone {
  const target = verdict?.target ?? null;
  if (target !== null) return tones[target];
  return authorized === false ? 'bad' : 'unknown';
}

export function Verdict({ device }: { readonly device: Device }) {
  const target = device.verdict?.target ?? null;
  const tone = toneOfVerdict(device);
  const word =
    target !== null
      ? t.verdict[target]
      : device.authorized === false
        ? t.verdict.unauthorized
        : t.verdict.none;
  return <Pill tone={tone}>{word}</Pill>;
}
