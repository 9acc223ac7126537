// Devices with their port paths -> the map of the sockets: buses, hubs and what hangs on them. Pure.
import type { Device, DevicesAnswer, PortState } from './answers.ts';

export interface PortNode {
  /** `1-1.4` */
  readonly port: string;
  /** The number on its hub: 4 */
  readonly socket: number;
  /** null: a hub that is not known, only what hangs on it. */
  readonly device: Device | null;
  /** What goes on there besides. */
  readonly state: PortState | null;
  readonly children: readonly PortNode[];
}

export interface Bus {
  readonly number: number;
  readonly ports: readonly PortNode[];
  readonly count: number;
}

export function toBuses(devices: readonly Device[], states: readonly PortState[]): readonly Bus[] {
  const byPort = new Map(devices.map((device) => [device.port, device]));
  const stateAt = new Map(states.map((state) => [state.port, state]));
  const childrenOf = new Map<string, Set<string>>();
  for (const { port } of [...devices, ...states]) {
    let below = port;
    for (let above = parentOf(below); ; above = parentOf(below)) {
      const siblings = childrenOf.get(above) ?? new Set();
      childrenOf.set(above, siblings.add(below));
      if (!above.includes('-')) break;
      below = above;
    }
  }
  const node = (port: string): PortNode => ({
    port,
    socket: Number(/\d+$/.exec(port)?.[0] ?? 0),
    device: byPort.get(port) ?? null,
    state: stateAt.get(port) ?? null,
    children: [...(childrenOf.get(port) ?? [])].map(node).sort((a, b) => a.socket - b.socket),
  });
  return [...childrenOf.keys()]
    .filter((port) => !port.includes('-'))
    .map((bus) => ({
      number: Number(bus),
      ports: node(bus).children,
      count: devices.filter(({ port }) => port.startsWith(`${bus}-`)).length,
    }))
    .sort((a, b) => a.number - b.number);
}

/** What somebody may want to look at: the policy's verdict is against it, or it does not work. */
export function troubles({ devices, ports }: Pick<DevicesAnswer, 'devices' | 'ports'>) {
  return {
    blocked: devices.filter(({ verdict }) => verdict?.target === 'block' || verdict?.target === 'reject')
      .length,
    failed: ports.filter(({ state }) => state === 'failed').length,
  };
}

/** `1-1.4` -> `1-1` -> `1`, the bus */
function parentOf(port: string): string {
  const dot = port.lastIndexOf('.');
  return dot === -1 ? (port.split('-')[0] ?? '') : port.slice(0, dot);
}

export function deviceName(
  device: Partial<Pick<Device, 'manufacturer' | 'vendorName' | 'product' | 'productName'>>,
): string | null {
  const maker = (device.manufacturer ?? device.vendorName ?? '').trim();
  const product = (device.product ?? device.productName ?? '').trim();
  // Many products have their maker's name in front already.
  const both = product.toLowerCase().startsWith(maker.toLowerCase()) ? product : `${maker} ${product}`;
  return both.trim() || null;
}

/** Most devices say what they are with their interfaces only, some of which say `None`. */
export function deviceKind({ deviceClass, interfaces }: Device): string | null {
  if (deviceClass?.name !== undefined && deviceClass.class !== '00' && deviceClass.class !== 'ef')
    return deviceClass.name;
  const names = new Set(interfaces.map(({ name }) => name));
  const said = [...names].filter((name) => name !== undefined && name !== 'None').join(', ');
  return said === '' ? (deviceClass?.name ?? null) : said;
}

export const isHub = (device: Device): boolean =>
  device.deviceClass?.class === '09' || device.interfaces.some((each) => each.class === '09');
