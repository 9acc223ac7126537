import assert from 'node:assert/strict';
import test from 'node:test';
import { AckLine } from '../../src/uplink/ack-line.ts';
import { seededRandom } from '../support/seeded-random.ts';

const id = (number: number) => ({ generation: 1, number });

test('the line moves to the end of the gapless prefix, whatever the order of the acknowledgements [L1]', () => {
  const random = seededRandom(3);
  for (let round = 0; round < 200; round++) {
    const line = new AckLine();
    const places = Array.from({ length: 50 }, (_, i) => line.append(id(i + 1)));
    const waiting = [...places];
    const accepted = new Set<number>();
    let passed = 0;
    while (waiting.length > 0) {
      const [place] = waiting.splice(random.integer(Math.min(waiting.length, 10)), 1);
      if (place === undefined) break;
      accepted.add(place.id.number);
      const upTo = line.accept(place)?.number ?? passed;
      while (accepted.has(passed + 1)) passed += 1;
      assert.equal(upTo, passed);
      assert.equal(line.length, 50 - passed);
    }
    assert.equal(line.head, null);
    line.append(id(51));
    assert.equal(line.length, 1);
  }
});
