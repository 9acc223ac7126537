// The devices that are plugged in now -> a policy that allows exactly them, as `usbguard generate-policy` writes it. Pure.
import type { PolicyDevice } from './policy-device.ts';
import type { Rule, Target, ValueSet } from './rule.ts';

export interface GenerateOptions {
  /** `missing-serial`: the port only for devices that nothing else tells apart. */
  readonly ports: 'always' | 'missing-serial' | 'never';
  readonly hashes: 'with' | 'only' | 'without';
  /** A last rule for everything else; null: the implicit target decides. */
  readonly catchAll: Target | null;
}

export function generatePolicy(devices: readonly PolicyDevice[], options: GenerateOptions): readonly Rule[] {
  const rules = [...devices].sort(byPlace).map((device) => allowRule(device, options));
  return options.catchAll === null ? rules : [...rules, { target: options.catchAll }];
}

/** Root hubs first, then from short port names to long ones: a parent always before its children. */
function byPlace(a: PolicyDevice, b: PolicyDevice): number {
  const rank = ({ viaPort }: PolicyDevice) => (viaPort.startsWith('usb') ? 0 : 1);
  return (
    rank(a) - rank(b) ||
    a.viaPort.length - b.viaPort.length ||
    (a.viaPort < b.viaPort ? -1 : a.viaPort > b.viaPort ? 1 : 0)
  );
}

function allowRule(device: PolicyDevice, { ports, hashes }: GenerateOptions): Rule {
  const isPortNamed = ports === 'always' || (ports === 'missing-serial' && device.serial === '');
  const port = isPortNamed ? { viaPort: only(device.viaPort) } : {};
  const hash = { hash: only(device.hash), parentHash: only(device.parentHash) };
  if (hashes === 'only') return { target: 'allow', ...hash, ...port };
  const { interfaces } = device;
  return {
    target: 'allow',
    id: only({ vendor: device.vendorId, product: device.productId }),
    serial: only(device.serial),
    name: only(device.name),
    ...(hashes === 'with' ? hash : {}),
    ...port,
    ...(interfaces.length === 0
      ? {}
      : { withInterface: { operator: 'equals', values: interfaces } as const }),
    withConnectType: only(device.connectType),
  };
}

function only<V>(value: V): ValueSet<V> {
  return { operator: 'equals', values: [value] };
}
