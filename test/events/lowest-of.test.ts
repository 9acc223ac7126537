import assert from 'node:assert/strict';
import test from 'node:test';
import { comparePorts } from '../../src/events/compare-ports.ts';
import { LowestOf } from '../../src/events/lowest-of.ts';
import { seededRandom } from '../support/seeded-random.ts';

test('the lowest is that of a plain search, whatever is set and deleted [U3]', () => {
  const random = seededRandom(1);
  const subject = new LowestOf<number>();
  const plain = new Map<number, number>();
  for (let step = 0; step < 20_000; step += 1) {
    const [key, value] = [random.integer(12), random.integer(50)];
    if (random.integer(3) === 0) {
      subject.delete(key);
      plain.delete(key);
    } else {
      subject.set(key, value);
      plain.set(key, value);
    }
    if (random.integer(2) === 0)
      assert.equal(subject.lowest(), Math.min(Number.POSITIVE_INFINITY, ...plain.values()));
    const limit = random.integer(50);
    const due = subject.keysUpTo(limit);
    assert.deepEqual(
      due.toSorted(),
      [...plain]
        .filter(([, at]) => at <= limit)
        .map(([name]) => name)
        .toSorted(),
    );
    assert.ok(
      due.every(
        (name, index) => index === 0 || (plain.get(due[index - 1] ?? 0) ?? 0) <= (plain.get(name) ?? 0),
      ),
    );
  }
});

test('ports are in the order of the sockets, a hub before what is plugged into it [S1]', () => {
  const ports = ['1-10', '2-1', '1-2.1', '1-2', '1-2.1.4', '1-1'];
  assert.deepEqual(ports.sort(comparePorts), ['1-1', '1-2', '1-2.1', '1-2.1.4', '1-10', '2-1']);
});
