// Keeps books on plugs: each device that a drill plugs in has numbers of its own, so each must arrive once as added and once as
// removed, in that order, whatever was killed meanwhile. Events are told apart by their ids; nothing else of the appliance is trusted.
import mqtt from 'mqtt';
import type { CloudEvent } from '../../src/contracts/event.ts';
import type { BusDevice } from '../support/usb-bus.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

export interface PlugFaults {
  /** Plugs without an `added`, unplugs without a `removed`. */
  readonly lost: readonly string[];
  /** More than one `added` or `removed` for one plug. */
  readonly double: readonly string[];
  /** `removed` before `added`. */
  readonly outOfOrder: readonly string[];
  /** Events of devices that were never plugged in, and removals that name no device. */
  readonly foreign: readonly string[];
}

export interface PlugAccount {
  readonly plugs: number;
  /** A device that never was before. */
  next(port: string): BusDevice;
  plugged(device: BusDevice): void;
  unplugged(device: BusDevice): void;
  faults(): PlugFaults;
  /** Events of each type, each id once. */
  readonly types: ReadonlyMap<string, number>;
  /** What the buffer says of itself, each id once. */
  readonly bufferEvents: readonly CloudEvent[];
}

interface Entry {
  plugged: boolean;
  unplugged: boolean;
  added: number;
  removed: number;
  inOrder: boolean;
  /** What was done with it and what arrived about it, in words. */
  readonly told: string[];
}

/** `brokerUrl` null: nothing is ever told of. */
export async function startPlugAccount(t: Cleanup, brokerUrl: string | null): Promise<PlugAccount> {
  const entries = new Map<string, Entry>();
  const seen = new Set<string>();
  const foreign: string[] = [];
  const types = new Map<string, number>();
  const bufferEvents: CloudEvent[] = [];
  let count = 0;
  const take = (payload: Buffer) => {
    const event = JSON.parse(payload.toString()) as CloudEvent;
    const { id, type, data } = event;
    if (seen.has(id)) return;
    seen.add(id);
    types.set(type, (types.get(type) ?? 0) + 1);
    if (type.startsWith('buffer.')) bufferEvents.push(event);
    if (type !== 'usb.device.added' && type !== 'usb.device.removed') return;
    const { device } = data as { readonly device: { vendorId: string; productId: string } | null };
    const entry = device === null ? undefined : entries.get(`${device.vendorId}:${device.productId}`);
    const { source, seqnum, reconciled = false } = data;
    entry?.told.push(
      `${id} ${type.slice('usb.device.'.length)} (${String(source)} ${String(seqnum)}${reconciled ? ', reconciled' : ''})`,
    );
    if (entry === undefined) foreign.push(`${id} ${type} ${JSON.stringify(device)}`);
    else if (type === 'usb.device.added') entry.added += 1;
    else {
      entry.removed += 1;
      if (entry.added === 0) entry.inOrder = false;
    }
  };
  if (brokerUrl !== null) await listen(t, brokerUrl, take);

  const namesWhere = (isSo: (entry: Entry) => boolean) =>
    [...entries].filter(([, entry]) => isSo(entry)).map(([name, { told }]) => `${name}: ${told.join(', ')}`);
  return {
    get plugs() {
      return count;
    },
    types,
    bufferEvents,
    next(port) {
      count += 1;
      return { port, vendorId: 0x1000 + (count >> 16), productId: count & 0xffff };
    },
    plugged(device) {
      entries.set(nameOf(device), {
        plugged: true,
        unplugged: false,
        added: 0,
        removed: 0,
        inOrder: true,
        told: [],
      });
    },
    unplugged(device) {
      const entry = entries.get(nameOf(device));
      if (entry === undefined) return;
      entry.unplugged = true;
      entry.told.push(`unplugged at ${timeNow()}`);
    },
    faults: () => ({
      lost: namesWhere(
        (entry) => (entry.plugged && entry.added === 0) || (entry.unplugged && entry.removed === 0),
      ),
      double: namesWhere(({ added, removed }) => added > 1 || removed > 1),
      outOfOrder: namesWhere(({ inOrder }) => !inOrder),
      foreign,
    }),
  };
}

/** Seconds since this process began, as in a drill's journal. */
export function timeNow(): string {
  return (performance.now() / 1_000).toFixed(3);
}

function nameOf({ vendorId, productId }: BusDevice): string {
  return [vendorId, productId].map((number) => number.toString(16).padStart(4, '0')).join(':');
}

async function listen(t: Cleanup, brokerUrl: string, take: (payload: Buffer) => void): Promise<void> {
  const client = await mqtt.connectAsync(brokerUrl, {
    ...{ clientId: 'plug-account', clean: false, protocolVersion: 5, reconnectPeriod: 100 },
    properties: { sessionExpiryInterval: 86_400 },
  });
  t.after(() => client.endAsync(true));
  client.on('message', (_topic, payload) => take(payload));
  await client.subscribeAsync('autoweave/v1/+/+/+/event/#', { qos: 1 });
}
