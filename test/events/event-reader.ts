// Reads drafts as the centre would, and fails on anything a reader could not make sense of: data that its schema refuses,
// an added for what is present, a removed for what is absent, one sequence number told twice, a second ready.
import assert from 'node:assert/strict';
import type { EventDraft } from '../../src/contracts/event.ts';
import { type EventData, type EventType, eventTypes } from '../../src/contracts/event-types.ts';
import type { UsbState } from '../../src/contracts/usb-change.ts';
import type { UsbDevice } from '../../src/contracts/usb-device.ts';
import { comparePorts } from '../../src/events/compare-ports.ts';
import type { Made } from '../../src/events/event-maker.ts';
import { parseUsbState } from '../../src/events/usb-state.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';

const checks = new Map(Object.entries(eventTypes).map(([type, schema]) => [type, schemaCheck(schema)]));

export class EventReader {
  readonly drafts: EventDraft[] = [];
  /** What a reader of the events believes to be plugged in. */
  readonly present = new Map<string, UsbDevice>();
  /** The hash that the patches went to. */
  readonly fields: Record<string, string> = {};
  readonly #told = new Set<string>();
  readonly #ready = new Set<string>();
  #boot = 0;

  read({ drafts, state }: Made): readonly EventDraft[] {
    for (const draft of drafts) this.#readDraft(draft);
    for (const [field, value] of Object.entries(state))
      if (value === null) delete this.fields[field];
      else this.fields[field] = value;
    if (drafts.length === 0) assert.deepEqual(state, {}, 'a state without the events that say it');
    return drafts;
  }

  /** Sequence numbers and addresses start anew. */
  reboot(): void {
    this.#boot += 1;
  }

  /** What a reader believes to be plugged in, in the order of the ports. */
  devices(): readonly UsbDevice[] {
    return [...this.present.values()].sort((a, b) => comparePorts(a.port, b.port));
  }

  /** Plugs that were told, each by an event of its own, by the count of another, or by a usb.suppressed. */
  plugsTold(): number {
    return this.drafts.reduce((total, { type, data }) => {
      if (type === 'usb.suppressed') return total + Number(data.added) + Number(data.removed);
      if (type !== 'usb.device.added' && type !== 'usb.device.removed') return total;
      return total + 1 + Number(data.folded ?? 0);
    }, 0);
  }

  known(): UsbState | null {
    const { state, problems } = parseUsbState(this.fields);
    assert.deepEqual(problems, []);
    return state;
  }

  /** Short names of the events: `+A` `-A` `!A` (ready) `~A` (changed) `~~` (suppressed) and the type of all others. */
  words(from = 0): string[] {
    return this.drafts.slice(from).map(wordOf);
  }

  types(type: EventType): EventDraft[] {
    return this.drafts.filter((draft) => draft.type === type);
  }

  /** Everything suppressed, according to the events. */
  suppressed(): number {
    return this.types('usb.suppressed').reduce((total, { data }) => {
      const { added, removed, other } = data as EventData<'usb.suppressed'>;
      return total + added + removed + other;
    }, 0);
  }

  #readDraft(draft: EventDraft): void {
    const verdict = checks.get(draft.type)?.(draft.data);
    assert.ok(verdict?.ok, `${draft.type}: ${JSON.stringify(verdict)} ${JSON.stringify(draft.data)}`);
    assert.match(draft.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    this.drafts.push(draft);
    const data = draft.data as Partial<EventData<'usb.device.changed'>> & { readonly port?: string };
    const port = data.device?.port ?? data.port;
    if (!draft.type.startsWith('usb.device.') || port === undefined) return;
    assert.equal(draft.subject, `usb/${port}`);
    if (typeof data.seqnum === 'number' && draft.type !== 'usb.device.ready') {
      const number = `${this.#boot}:${data.seqnum}`;
      assert.ok(!this.#told.has(number), `sequence number ${number} is told twice`);
      this.#told.add(number);
    }
    this.#follow(draft, port, data);
  }

  #follow(draft: EventDraft, port: string, data: Partial<EventData<'usb.device.changed'>>): void {
    const before = this.present.get(port);
    const story = () => `${draft.type} ${port} after ${this.words(-12).join(' ')}`;
    if (draft.type === 'usb.device.added') {
      assert.equal(before, undefined, story());
      this.#ready.delete(port);
      if (data.device !== undefined) this.present.set(port, data.device);
      return;
    }
    assert.ok(before !== undefined, story());
    if (draft.type === 'usb.device.removed') {
      assert.equal(data.device?.identity, before.identity, story());
      this.present.delete(port);
    } else if (draft.type === 'usb.device.ready') {
      assert.ok(!this.#ready.has(port), story());
      this.#ready.add(port);
    } else if (data.device !== undefined) {
      assert.equal(data.was?.identity, before.identity, story());
      this.present.set(port, data.device);
    }
  }
}

const marks: Readonly<Record<string, string>> = {
  'usb.device.added': '+',
  'usb.device.removed': '-',
  'usb.device.ready': '!',
  'usb.device.changed': '~',
};

export function wordOf({ type, data }: EventDraft): string {
  const { device, folded } = data as Partial<EventData<'usb.device.added'>>;
  if (type === 'usb.suppressed') return '~~';
  const mark = marks[type];
  if (mark === undefined) return type;
  return `${mark}${device?.serial ?? '?'}${folded === undefined ? '' : `(${folded})`}`;
}
