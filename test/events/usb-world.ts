// A bus, the sources that report it, each at its own pace, and a daemon that dies and starts again: what the property
// tests turn the handle of. Everything follows from the seed.
import assert from 'node:assert/strict';
import type { UsbChange } from '../../src/contracts/usb-change.ts';
import { comparePorts } from '../../src/events/compare-ports.ts';
import type { PortChange } from '../../src/events/recognize-change.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { type Limits, MakerUnderTest } from './maker-under-test.ts';
import { at, BOOT, changed, NEXT_BOOT, ready, snapshot, UsbBus, unreadable } from './usb-bus.ts';

const PORTS = ['1-1', '1-2', '1-2.1', '2-4'];
const NAMES = ['A', 'B', 'C'];

export interface Habits {
  readonly limits: Partial<Limits>;
  /** Scans while records are still on their way. */
  readonly scans: boolean;
  readonly crashes: boolean;
  readonly reboots: boolean;
}

export class UsbWorld {
  readonly random: SeededRandom;
  readonly #habits: Habits;
  readonly bus = new UsbBus();
  subject: MakerUnderTest;
  /** Numbered plugs and unplugs of all boots. */
  plugs = 0;
  taken = 0;
  #bootId = BOOT;
  #now = 1_000;
  #wallOffset = 0;
  /** All numbered records of this boot, as the RUN helper spools them. */
  #spool: PortChange[] = [];
  /** Reported, but not yet read by the daemon; each source in its own order. */
  #kernel: PortChange[] = [];
  #udev: PortChange[] = [];
  /** Read, but not yet handed on: records overtake it. */
  #scanned: UsbChange | null = null;

  constructor(seed: number, habits: Habits) {
    this.random = seededRandom(seed);
    this.#habits = habits;
    this.subject = new MakerUnderTest({ limits: habits.limits });
  }

  step(): void {
    const dice = this.random.integer(100);
    if (dice < 35) this.#plug();
    else if (dice < 40) this.#change();
    else if (dice < 60) this.#deliver(this.#kernel);
    else if (dice < 72) this.#deliver(this.#udev);
    else if (dice < 88) this.#pass();
    else if (dice < 90) this.#wallOffset = (this.random.next() - 0.5) * 1e12;
    else if (dice < 93) this.#scan('timer');
    else if (dice < 95) this.#handOnScan();
    else if (dice < 98) this.#crash();
    else this.#reboot();
  }

  /** Everything on its way arrives, everything held becomes due. */
  settle(): void {
    while (this.#kernel.length > 0) this.#deliver(this.#kernel);
    while (this.#udev.length > 0) this.#deliver(this.#udev);
    this.#handOnScan();
    this.subject.runTo(this.#now + 10_000_000);
    assert.equal(this.subject.maker.nextDueMs(), null);
  }

  /** What the events say, what the maker says and what the hash says is what is plugged in. */
  assertNetState(): void {
    const truth = this.bus.devices().toSorted((a, b) => comparePorts(a.port, b.port));
    assert.deepEqual(this.subject.maker.devices(), truth);
    assert.deepEqual(
      this.subject.reader.known()?.devices.toSorted((a, b) => comparePorts(a.port, b.port)) ?? [],
      truth,
    );
    const facts = (devices: typeof truth) => devices.map(({ port, identity }) => [port, identity]);
    assert.deepEqual(facts([...this.subject.reader.devices()]), facts(truth));
  }

  #plug(): void {
    const port = this.random.pick(PORTS);
    const record = this.bus.present.has(port)
      ? this.bus.unplug(port, this.#now)
      : this.bus.plug(port, this.random.pick(NAMES), this.#now);
    this.plugs += 1;
    this.#report(record);
  }

  #change(): void {
    const [before] = this.bus.devices();
    if (before === undefined) return;
    const after = { ...before, maxPowerMilliamps: this.random.integer(500) };
    this.bus.present.set(after.port, after);
    this.bus.seqnum += 1;
    this.#report(changed(this.#now, after, { seqnum: this.bus.seqnum }));
  }

  #report(record: PortChange): void {
    this.#spool.push(record);
    this.#kernel.push(record);
    this.#udev.push({ ...record, source: 'udev' });
    if (record.kind === 'attached')
      this.#udev.push(ready(this.#now, record.device, { seqnum: record.seqnum }));
    if (this.random.integer(8) === 0) this.#udev.push({ ...record, source: 'libusb', seqnum: null });
  }

  #deliver(queue: PortChange[]): void {
    // udev's record comes after the kernel's: its rules run in between.
    const next = queue[0];
    if (next === undefined) return;
    if (queue === this.#udev && this.#kernel.some(({ seqnum }) => (seqnum ?? 0) <= (next.seqnum ?? 0)))
      return;
    queue.shift();
    this.#take(next);
  }

  #take(change: UsbChange): void {
    const wallMs = at(this.#now).wallMs + this.#wallOffset;
    this.taken += 1;
    this.subject.take({ ...change, observed: { uptimeMs: this.#now, wallMs, synced: false } });
  }

  #pass(): void {
    this.#now += this.random.pick([0, 1, 5, 20, 60, 300, 2_000]);
    if (this.random.integer(3) > 0) this.subject.runTo(this.#now);
  }

  #scan(reason: 'timer' | 'start' | 'monitor-exit'): void {
    if (!this.#habits.scans && reason !== 'start') return;
    // Without a number a scan can only be put in order when nothing is on its way.
    const isAlone = this.#kernel.length === 0 && this.#scanned === null;
    const seqnum = isAlone && this.random.integer(2) === 0 ? null : this.bus.seqnum;
    const scan = snapshot(this.#now, this.bus.devices(), { reason, seqnum });
    if (reason === 'timer' && seqnum !== null && this.random.integer(2) === 0) this.#scanned = scan;
    else this.#take(scan);
  }

  #handOnScan(): void {
    if (this.#scanned !== null) this.#take(this.#scanned);
    this.#scanned = null;
  }

  /** The daemon dies with everything it held; the next one reads the spool from the start of the boot, and scans. */
  #crash(): void {
    if (!this.#habits.crashes) return;
    this.#kernel = [];
    this.#udev = [];
    this.#restart();
    for (const record of this.#spool) {
      const isThere =
        this.bus.present.get(record.port)?.address === ('device' in record && record.device.address);
      const isReadable = isThere || this.random.integer(2) === 0;
      this.#take({
        ...record,
        source: 'spool',
        ...('device' in record && !isReadable && { device: unreadable(record.device) }),
      });
      if (record.kind === 'attached' && this.random.integer(2) === 0)
        this.#take(ready(this.#now, record.device, { source: 'spool', seqnum: record.seqnum }));
    }
    this.#scan('start');
  }

  #reboot(): void {
    if (!this.#habits.reboots) return;
    if (this.random.integer(2) === 0) this.subject.flush(at(this.#now));
    this.#bootId = this.#bootId === BOOT ? NEXT_BOOT : BOOT;
    [this.#kernel, this.#udev, this.#spool] = [[], [], []];
    this.#now = 10;
    this.bus.seqnum = 500;
    for (const [port, device] of this.bus.present) {
      this.bus.present.delete(port);
      const dice = this.random.integer(10);
      if (dice > 0) this.bus.present.set(port, { ...this.bus.plug(port, device.serial ?? 'A', 0).device });
    }
    this.subject.reader.reboot();
    this.#restart();
    this.#scan('start');
  }

  #restart(): void {
    this.#scanned = null;
    const { reader, metrics } = this.subject;
    const known = reader.known();
    this.subject = new MakerUnderTest({
      limits: this.#habits.limits,
      bootId: this.#bootId,
      known,
      reader,
      metrics,
    });
  }
}
