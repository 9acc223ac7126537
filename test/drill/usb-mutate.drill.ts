// Mutated descriptor sets and monitor transcripts through the parsers that stand before everything else.
import { UsbDevice } from '../../src/contracts/usb-device.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { describeDevice, describeGoneDevice } from '../../src/usb/describe-device.ts';
import { interpretRecord } from '../../src/usb/interpret-record.ts';
import { createMonitorParser } from '../../src/usb/parse-monitor-records.ts';
import type { DeviceStrings } from '../../src/usb/string-reader.ts';
import { readUsbIds } from '../../src/usb/usb-ids-source.ts';
import { createUsbNames } from '../../src/usb/usb-names.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { descriptorSets, monitorTranscripts } from '../usb/corpus.ts';
import { mutateDescriptors, mutateTranscript } from '../usb/mutate.ts';
import type { Drill } from './drill.ts';

/** The schema is checked on every n-th device; it costs more than the parsing. */
const CHECK_EVERY = 50;
const MAX_MS = 10_000;
const FIRST_CHECK_SHARE = 0.5;

interface Outcome {
  /** The first check: the device descriptor is one; at least one record of the transcript came through. */
  readonly isPastFirstCheck: boolean;
  readonly codes: readonly string[];
  readonly devices: readonly UsbDevice[];
}

export const drill: Drill = {
  about: 'mutated descriptor sets and monitor records: each parses or is refused with a code, quickly',
  rounds: 100_000,
  async run({ n, seed, say }) {
    const random = seededRandom(seed);
    const inputs = createInputs();
    const check = schemaCheck(UsbDevice);
    const counts = { descriptors: newCount(), records: newCount() };
    let failed = 0;
    let devices = 0;
    for (let round = 0; round < n; round++) {
      const kind = round % 2 === 0 ? 'descriptors' : 'records';
      const count = counts[kind];
      const began = performance.now();
      let problem: string | null = null;
      try {
        const outcome = inputs[kind](random);
        for (const code of new Set(outcome.codes)) count.codes.set(code, (count.codes.get(code) ?? 0) + 1);
        if (outcome.codes.length === 0) count.accepted++;
        if (outcome.isPastFirstCheck) count.pastFirstCheck++;
        for (const device of outcome.devices) {
          const verdict = devices++ % CHECK_EVERY === 0 ? check(device) : { ok: true as const };
          if (!verdict.ok) problem = `violates the schema: ${JSON.stringify(verdict.problems)}`;
        }
      } catch (thrown) {
        problem = `threw ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
      }
      count.rounds++;
      const ms = performance.now() - began;
      if (ms > MAX_MS) problem ??= `took ${ms.toFixed(0)} ms`;
      if (problem === null) continue;
      failed++;
      if (failed <= 10) say(`round ${round} of seed ${seed} (${kind}) ${problem}`);
    }
    const past = counts.descriptors.pastFirstCheck + counts.records.pastFirstCheck;
    for (const [kind, count] of Object.entries(counts)) sayCount(kind, count, say);
    say(`${Math.ceil(devices / CHECK_EVERY)} of ${devices} devices checked against the schema`);
    say(`past the first check: ${share(past, n)} of all inputs`);
    if (n > 0 && past / n < FIRST_CHECK_SHARE) {
      say('too few inputs get past the first check to try what comes after it');
      failed++;
    }
    return failed;
  },
};

function createInputs(): Readonly<Record<'descriptors' | 'records', (random: SeededRandom) => Outcome>> {
  const sets = descriptorSets('good').map(({ bytes }) => bytes);
  const transcripts = monitorTranscripts('good').map(({ bytes }) => bytes);
  const names = createUsbNames(readUsbIds, () => undefined);
  return {
    descriptors(random) {
      const descriptors = mutateDescriptors(random.pick(sets), random, sets);
      const raw = {
        folder: '',
        bus: 1,
        address: 2,
        descriptors,
        attributes: { speed: random.pick(['480', '5000', 'x']) },
      };
      const device = describeDevice(raw, '1-1', { strings: hostileStrings(random, descriptors), names });
      const first = [
        'usb.descriptor-missing',
        'usb.descriptor-device-short',
        'usb.descriptor-device-length',
        'usb.descriptor-device-type',
      ];
      const isPastFirstCheck = !device.problems.some((code) => first.includes(code));
      return { isPastFirstCheck, codes: device.problems, devices: [device] };
    },
    records(random) {
      const bytes = mutateTranscript(random.pick(transcripts), random, transcripts);
      const codes: string[] = [];
      const devices: UsbDevice[] = [];
      let records = 0;
      const parser = createMonitorParser(
        (record) => {
          records++;
          const device = interpretRecord(record);
          if (device === 'bad-port') codes.push('usb.monitor-port');
          else if (device !== null) devices.push(describeGoneDevice(device.facts, device.port, names));
        },
        (code) => codes.push(code),
      );
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + random.integer(bytes.length);
        parser.push(bytes.subarray(at, at + size));
        at += size;
      }
      return { isPastFirstCheck: records > 0, codes, devices };
    },
  };
}

function hostileStrings(random: SeededRandom, bytes: Buffer): DeviceStrings {
  const some = () => {
    if (random.integer(3) === 0) return null;
    const from = random.integer(bytes.length + 1);
    return bytes.subarray(from, from + random.integer(300));
  };
  return { manufacturer: some(), product: some(), serial: some() };
}

interface Count {
  rounds: number;
  accepted: number;
  pastFirstCheck: number;
  readonly codes: Map<string, number>;
}

function newCount(): Count {
  return { rounds: 0, accepted: 0, pastFirstCheck: 0, codes: new Map() };
}

function sayCount(
  kind: string,
  { rounds, accepted, pastFirstCheck, codes }: Count,
  say: (line: string) => void,
): void {
  say(`${kind}: ${rounds} inputs, ${share(pastFirstCheck, rounds)} past the first check`);
  say(`  ${String(accepted).padStart(9)}  accepted without a code`);
  for (const [code, times] of [...codes].sort((a, b) => b[1] - a[1]))
    say(`  ${String(times).padStart(9)}  ${code}`);
}

function share(part: number, whole: number): string {
  return whole === 0 ? 'none' : `${((100 * part) / whole).toFixed(1)} %`;
}
