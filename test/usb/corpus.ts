// The recorded inputs of test/corpus/usb. A descriptor set is hex text; `# expect:` names the codes it must bring. A monitor
// transcript begins with lines for the test: `#:` what it is, `#>` a device record it must give, `#!` a code.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../corpus/usb');

export interface DescriptorSet {
  readonly name: string;
  readonly bytes: Buffer;
  readonly expected: readonly string[];
}

export function descriptorSets(kind: 'good' | 'bad'): readonly DescriptorSet[] {
  return filesOf(`descriptors/${kind}`, '.hex').map(({ name, text }) => ({
    name,
    bytes: Buffer.from(text.replace(/#.*$/gm, '').replace(/\s+/g, ''), 'hex'),
    expected: (/^# expect: (.*)$/m.exec(text)?.[1] ?? '').split(' ').filter((code) => code !== ''),
  }));
}

export function descriptorSet(name: string): Buffer {
  const found = [...descriptorSets('good'), ...descriptorSets('bad')].find((set) => set.name === name);
  if (found === undefined) throw new Error(`test/corpus/usb/descriptors has no ${name}.hex`);
  return found.bytes;
}

export interface MonitorTranscript {
  readonly name: string;
  readonly bytes: Buffer;
  readonly records: readonly string[];
  readonly codes: readonly string[];
}

export function monitorTranscripts(kind: 'good' | 'bad'): readonly MonitorTranscript[] {
  return filesOf(`monitor/${kind}`, '.txt').map(({ name, text }) => {
    const about = /^(#[:>!].*\n)*/.exec(text)?.[0] ?? '';
    const marked = (mark: string) =>
      about
        .split('\n')
        .filter((line) => line.startsWith(mark))
        .map((line) => line.slice(mark.length + 1));
    return {
      name,
      bytes: Buffer.from(text.slice(about.length)),
      records: marked('#>'),
      codes: marked('#!'),
    };
  });
}

function filesOf(
  folder: string,
  extension: string,
): readonly { readonly name: string; readonly text: string }[] {
  const dir = path.join(root, folder);
  return readdirSync(dir)
    .filter((file) => file.endsWith(extension))
    .sort()
    .map((file) => ({
      name: path.basename(file, extension),
      text: readFileSync(path.join(dir, file), 'utf8'),
    }));
}
