// What the actions of `autoweave usb policy` share: options, the devices of this computer, and how both are said.
import type { DiffContext } from '../../policy/diff-policies.ts';
import type { PolicyDevice } from '../../policy/policy-device.ts';
import { printInterface, printString } from '../../policy/print-rule.ts';
import { type Target, targets } from '../../policy/rule.ts';
import { type CommandContext, exitCodes } from '../command.ts';
import { type HostDevice, type HostRoots, readUsbHost } from './read-usb-host.ts';
import type { ReadInput } from './rules-file.ts';

export interface ActionOptions {
  readonly context: CommandContext;
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly roots: HostRoots;
  readonly input: ReadInput;
}

export type PolicyAction = (options: ActionOptions) => Promise<number>;

export function usageFault({ context }: ActionOptions, what: string): number {
  context.complain(`autoweave usb policy: ${what}. \`autoweave help usb\` explains.\n`);
  return exitCodes.usage;
}

/** The target of a device that no rule matches; null when what was given is none. */
export function implicitTarget({ values }: ActionOptions): Target | null {
  const given = values['implicit-target'] ?? 'block';
  return targets.find((each) => each === given) ?? null;
}

/** Rules are tried at this moment's local time; a chance is taken as 0.5. */
export function tryContext(implicit: Target): DiffContext {
  const now = new Date();
  return {
    implicitTarget: implicit,
    uptimeMs: performance.now(),
    secondOfDay: now.getHours() * 3_600 + now.getMinutes() * 60 + now.getSeconds(),
    random: () => 0.5,
  };
}

export interface JudgeableHost {
  readonly devices: readonly PolicyDevice[];
  readonly host: readonly HostDevice[];
}

/** Complains of a bus that cannot be read (null) and of devices that no rule can judge. */
export async function judgeableHost({ context, roots }: ActionOptions): Promise<JudgeableHost | null> {
  const found = await readUsbHost(roots);
  if (!found.ok) {
    context.complain(`autoweave usb policy: ${found.reason}\n`);
    return null;
  }
  const devices = found.devices.flatMap(({ port, verdict }) => {
    if (verdict.ok) return [verdict.device];
    context.complain(`${port}: no rule can judge this device (${verdict.code}): it is always blocked\n`);
    return [];
  });
  return { devices, host: found.devices };
}

export function deviceText({ viaPort, vendorId, productId, name, interfaces }: PolicyDevice): string {
  const types = interfaces.map(printInterface).join(' ');
  return `${viaPort}  ${vendorId}:${productId} ${printString(name)}  ${types}`;
}
