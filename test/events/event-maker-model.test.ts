import assert from 'node:assert/strict';
import test from 'node:test';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { type Limits, MakerUnderTest } from './maker-under-test.ts';
import { attached, detached, device } from './usb-bus.ts';
import { type Habits, UsbWorld } from './usb-world.ts';

function limitsOf(random: SeededRandom): Partial<Limits> {
  return {
    debounceMs: random.pick([0, 0, 50, 400]),
    ...(random.integer(2) === 0 && { portEventsPerSecond: 2, portBurst: 3 }),
    ...(random.integer(3) === 0 && { eventsPerSecond: 5, burst: 6 }),
  };
}

/** Runs worlds with the seeds from 1 and names the seed that failed. */
function worlds(
  count: number,
  steps: number,
  habits: Omit<Habits, 'limits'>,
  judge: (world: UsbWorld) => void,
) {
  for (let seed = 1; seed <= count; seed += 1) {
    const world = new UsbWorld(seed, { ...habits, limits: limitsOf(seededRandom(seed)) });
    try {
      for (let step = 0; step < steps; step += 1) world.step();
      world.settle();
      judge(world);
    } catch (error) {
      throw new Error(`seed ${seed}: ${world.subject.words().slice(-40).join(' ')}`, { cause: error });
    }
  }
}

const calm = { scans: false, crashes: false, reboots: false };

test('in 2,000 random lives the events end in the true state, and every transition is accounted for [U2]', () => {
  let told = 0;
  worlds(2_000, 60, calm, (world) => {
    world.assertNetState();
    const { metrics, reader } = world.subject;
    assert.equal(reader.plugsTold(), world.plugs);
    const events = reader.drafts.filter(({ type }) => type.startsWith('usb.device.')).length;
    const folded = ['debounce', 'rate', 'late-ready'].reduce(
      (total, cause) => total + metrics.total('events.folded', { cause }),
      0,
    );
    assert.equal(events + folded + metrics.total('events.deduplicated'), world.taken);
    told += events;
  });
  assert.ok(told > 20_000, `only ${told} events: the test itself is broken`);
});

test('in 2,000 random lives with scans before, between and after the records the events end in the true state [U5]', () => {
  worlds(2_000, 60, { ...calm, scans: true }, (world) => world.assertNetState());
});

test('in 1,000 random lives a crash at any point and a replay of the spool lose and repeat nothing [U5]', () => {
  worlds(1_000, 60, { ...calm, crashes: true }, (world) => {
    world.assertNetState();
    assert.equal(world.subject.reader.plugsTold(), world.plugs);
  });
});

test('in 1,000 random lives with scans, crashes and reboots the events end in the true state [U5]', () => {
  worlds(1_000, 80, { scans: true, crashes: true, reboots: true }, (world) => world.assertNetState());
});

test('a crash after every single step of a busy minute, at debounce 0, tells each number once [U5]', () => {
  const changes = Array.from({ length: 120 }, (_, index) => {
    const cycle = Math.floor(index / 6);
    const what = device(`1-${1 + (index % 3)}`, 'ABC'.charAt(index % 3), 1 + cycle);
    return (index % 6 < 3 ? attached : detached)(1_000 + index * 7, what, { seqnum: 10 + index });
  });
  for (let died = 0; died <= changes.length; died += 1) {
    const before = new MakerUnderTest();
    before.take(...changes.slice(0, died));
    const after = new MakerUnderTest({ known: before.reader.known(), reader: before.reader });
    after.take(...changes.map((change) => ({ ...change, source: 'spool' as const })));
    const numbers = after.reader.drafts.map(({ data }) => data.seqnum);
    assert.deepEqual(
      numbers,
      changes.map(({ seqnum }) => seqnum),
    );
  }
});
