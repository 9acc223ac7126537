// What the events made so far have said: the devices on the bus, and how far the records are contained in them. It is what
// a restart starts from, so its patch goes into the transaction of the events that say the same.
import type { StatePatch } from '../contracts/buffer.ts';
import type { PortMark, UsbState } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { Transition } from './transition.ts';
import { BOOT_FIELD, deviceField, markField, SEQNUM_FIELD } from './usb-state.ts';

export interface ToldPort {
  readonly device: UsbDevice | null;
  readonly mark: PortMark;
}

const NO_MARK: PortMark = { seqnum: 0, attached: null, ready: false, carried: false };

export class ToldPorts {
  readonly #bootId: string;
  readonly #ports = new Map<string, ToldPort>();
  readonly #changedDevices = new Set<string>();
  readonly #changedMarks = new Set<string>();
  /** The marks that are in the hash. */
  readonly #stored = new Map<string, string>();
  #storedBoot: string | null;
  #storedSeqnum: number | null;

  constructor(bootId: string, known: UsbState | null) {
    this.#bootId = bootId;
    this.#storedBoot = known?.bootId ?? null;
    const isSameBoot = known?.bootId === bootId;
    this.#storedSeqnum = isSameBoot ? known.seqnum : null;
    for (const [port, mark] of Object.entries(known?.marks ?? {})) {
      this.#stored.set(port, JSON.stringify(mark));
      this.#ports.set(port, { device: null, mark: isSameBoot ? mark : NO_MARK });
      this.#changedMarks.add(port);
    }
    for (const device of known?.devices ?? []) {
      const mark = known?.marks?.[device.port] ?? NO_MARK;
      // Numbers and addresses of an earlier boot mean nothing in this one.
      const ready = mark.ready;
      this.#ports.set(device.port, {
        device,
        mark: isSameBoot ? mark : { ...NO_MARK, ready, carried: true },
      });
      this.#changedMarks.add(device.port);
    }
  }

  ports(): ReadonlyMap<string, ToldPort> {
    return this.#ports;
  }

  device(port: string): UsbDevice | null {
    return this.#ports.get(port)?.device ?? null;
  }

  tell(port: string, transition: Transition): void {
    const { device, mark } = this.#ports.get(port) ?? { device: null, mark: NO_MARK };
    const seqnum = Math.max(mark.seqnum, transition.covers?.to ?? 0);
    switch (transition.kind) {
      case 'added':
        this.#set(port, transition.device, { ...NO_MARK, seqnum, attached: transition.seqnum });
        break;
      case 'removed':
        this.#set(port, null, { ...NO_MARK, seqnum });
        break;
      case 'changed':
        this.#set(port, transition.device, { ...mark, seqnum, carried: false });
        break;
      case 'ready':
        this.#set(port, device, { ...mark, ready: true });
        break;
    }
  }

  /** The device survived the reboot: the same to everyone, but with another address. */
  keep(port: string, device: UsbDevice, seqnum: number | null): void {
    const mark = this.#ports.get(port)?.mark ?? NO_MARK;
    this.#set(port, device, { ...mark, seqnum: seqnum ?? mark.seqnum, attached: seqnum, carried: false });
  }

  /** Records up to `seqnum` are contained in what has been told of the port. */
  cover(port: string, seqnum: number): void {
    const told = this.#ports.get(port);
    if (told !== undefined && told.mark.seqnum >= seqnum) return;
    this.#set(port, told?.device ?? null, { ...(told?.mark ?? NO_MARK), seqnum });
  }

  /** What has changed since the last patch. `seqnum`: every record up to it is contained in the events. */
  patch(seqnum: number): StatePatch {
    const patch: Record<string, string | null> = {};
    if (this.#storedBoot !== this.#bootId) patch[BOOT_FIELD] = this.#bootId;
    if (this.#storedSeqnum !== seqnum) patch[SEQNUM_FIELD] = String(seqnum);
    this.#storedBoot = this.#bootId;
    this.#storedSeqnum = seqnum;
    for (const port of this.#changedDevices) {
      const device = this.device(port);
      patch[deviceField(port)] = device === null ? null : JSON.stringify(device);
    }
    for (const port of this.#changedMarks) {
      const told = this.#ports.get(port);
      if (told === undefined) continue;
      if (told.device === null && told.mark.seqnum <= seqnum) {
        if (this.#stored.delete(port)) patch[markField(port)] = null;
        this.#ports.delete(port);
        this.#changedMarks.delete(port);
      } else {
        const text = JSON.stringify(told.mark);
        if (this.#stored.get(port) !== text) patch[markField(port)] = text;
        this.#stored.set(port, text);
        // The mark of an empty port is looked at again until the watermark has passed it.
        if (told.device !== null) this.#changedMarks.delete(port);
      }
    }
    this.#changedDevices.clear();
    return patch;
  }

  #set(port: string, device: UsbDevice | null, mark: PortMark): void {
    const before = this.#ports.get(port);
    if (before?.device !== device) this.#changedDevices.add(port);
    this.#changedMarks.add(port);
    this.#ports.set(port, { device, mark });
  }
}
