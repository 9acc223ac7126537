// The simulated bus: stands in for `udevadm monitor --kernel --udev --property` and changes the sysfs tree of which it tells.
// A child of the daemon; ends with it. Arguments: --sysfs DIR --captures DIR --seed N [--every-ms N]
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Capture, readCaptures } from './capture.ts';
import { type Change, firstChanges, nextChange } from './next-change.ts';
import { restampRecords } from './restamp-records.ts';
import { emptyTree, plugIntoTree, readSeqnum, unplugFromTree, writeSeqnum } from './sysfs-tree.ts';

const { values } = parseArgs({
  options: {
    sysfs: { type: 'string', default: '' },
    captures: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    'every-ms': { type: 'string', default: '4000' },
  },
});
const root = values.sysfs;
const captures = readCaptures(values.captures);
const random = randomFrom(Number(values.seed));
const plugged: Capture[] = [];
const addresses = new Map<Capture, number>();
let address = 1;

const parent = process.ppid;
setInterval(() => {
  // The daemon was killed: nobody reads what is printed here.
  if (process.ppid !== parent) process.exit(0);
}, 1_000).unref();
process.stdout.on('error', () => process.exit(0));

emptyTree(root);
process.stdout.write(
  'monitor will print the received events for:\nUDEV - the event which udev sends out after rule processing\nKERNEL - the kernel uevent\n\n',
);
for (const change of firstChanges(captures)) await show(change);
for (;;) {
  await delay(Number(values['every-ms']) * (0.5 + random()));
  for (const change of nextChange(captures, plugged, random)) await show(change);
}

async function show({ kind, capture }: Change): Promise<void> {
  const bus = Number(capture.port.split('-')[0]);
  if (kind === 'plug') {
    // The kernel counts on with every plug and starts again after 127; address 1 is the root hub's.
    address = address >= 127 ? 2 : address + 1;
    plugIntoTree(root, capture, address);
    plugged.push(capture);
    addresses.set(capture, address);
  } else {
    unplugFromTree(root, capture);
    plugged.splice(plugged.indexOf(capture), 1);
  }
  const { records, nextSeqnum } = restampRecords(kind === 'plug' ? capture.attach : capture.detach, {
    seqnum: readSeqnum(root) + 1,
    bus,
    address: addresses.get(capture) ?? address,
  });
  writeSeqnum(root, nextSeqnum - 1);
  const began = performance.now();
  for (const { afterMs, textAt } of records) {
    const wait = began + afterMs - performance.now();
    if (wait > 0) await delay(wait);
    process.stdout.write(textAt(Number(process.hrtime.bigint()) / 1e9));
  }
}

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
