import assert from 'node:assert/strict';
import test from 'node:test';
import type { Capture } from '../../src/workbench/capture.ts';
import { type Change, firstChanges, nextChange } from '../../src/workbench/next-change.ts';
import { seededRandom } from '../support/seeded-random.ts';

const base = '/devices/pci0000:00/0000:00:04.0/usb1';
const device = (name: string, port: string, above = ''): Capture => ({
  name,
  about: '',
  port,
  devpath: `${base}${above}/${port}`,
  attributes: {},
  descriptors: '',
  interfaces: {},
  attach: '',
  detach: '',
});
const captures = [
  device('keyboard', '1-1'),
  device('mouse', '1-1'),
  device('hub', '1-2'),
  device('behind the hub', '1-2.1', '/1-2'),
  device('storage', '1-3'),
];

/** Applies a change and checks that a real bus could have done the same. */
function apply(plugged: Capture[], { kind, capture }: Change): void {
  const at = plugged.findIndex(({ port }) => port === capture.port);
  if (kind === 'plug') {
    assert.equal(at, -1, `${capture.name} is plugged into the taken port ${capture.port}`);
    const parent = capture.port.split('.').slice(0, -1).join('.');
    assert.ok(
      parent === '' || plugged.some(({ port }) => port === parent),
      `${capture.name} hangs on no hub`,
    );
    plugged.push(capture);
  } else {
    assert.equal(plugged[at], capture, `${capture.name} is unplugged without being there`);
    plugged.splice(at, 1);
    assert.ok(
      !plugged.some(({ port }) => port.startsWith(`${capture.port}.`)),
      `a device below ${capture.name} stayed`,
    );
  }
}

test('the bus is not empty at the beginning, and hubs come with what hangs on them [Q4]', () => {
  const plugged: Capture[] = [];
  for (const change of firstChanges(captures)) apply(plugged, change);
  assert.deepEqual(
    plugged.map(({ name }) => name),
    ['keyboard', 'hub', 'behind the hub', 'storage'],
  );
});

test('10,000 changes are all possible on a real bus, and every device comes and goes [Q4]', () => {
  const random = seededRandom(7);
  const plugged: Capture[] = [];
  const seen = new Set<string>();
  for (let round = 0; round < 10_000; round++) {
    const changes = nextChange(captures, plugged, () => random.next());
    assert.ok(changes.length > 0, 'nothing happened');
    for (const change of changes) {
      apply(plugged, change);
      seen.add(`${change.kind} ${change.capture.name}`);
    }
  }
  assert.equal(seen.size, 2 * captures.length);
});

test('the same seed gives the same changes [Q4]', () => {
  const play = (seed: number) => {
    const random = seededRandom(seed);
    const plugged: Capture[] = [];
    return Array.from({ length: 50 }, () => {
      const changes = nextChange(captures, plugged, () => random.next());
      for (const change of changes) apply(plugged, change);
      return changes.map(({ kind, capture }) => `${kind} ${capture.name}`).join();
    });
  };
  assert.deepEqual(play(3), play(3));
  assert.notDeepEqual(play(3), play(4));
});

test('a single recording is enough for a show [Q4]', () => {
  const one = captures.slice(0, 1);
  assert.equal(nextChange(one, [], () => 0.9)[0]?.kind, 'plug');
  assert.equal(nextChange(one, one, () => 0.9)[0]?.kind, 'unplug');
});
