// A rule's attributes against a device: the first attribute that speaks against it, or null when the rule matches. Conditions are
// not looked at here. Pure.
import type { InterfaceType, PolicyDevice } from './policy-device.ts';
import type { DeviceId, InterfacePattern, RuleBody, ValueSet } from './rule.ts';

export type MatchedAttribute = Exclude<keyof RuleBody, 'conditions' | 'label'>;

export function mismatchOf(rule: RuleBody, device: PolicyDevice): MatchedAttribute | null {
  if (!idMatches(rule.id, device)) return 'id';
  if (!textMatches(rule.serial, device.serial)) return 'serial';
  if (!textMatches(rule.withConnectType, device.connectType)) return 'withConnectType';
  if (!textMatches(rule.name, device.name)) return 'name';
  if (!textMatches(rule.hash, device.hash)) return 'hash';
  if (!textMatches(rule.parentHash, device.parentHash)) return 'parentHash';
  if (!textMatches(rule.viaPort, device.viaPort)) return 'viaPort';
  if (rule.withInterface !== undefined && !setMatches(rule.withInterface, device.interfaces, isInterface))
    return 'withInterface';
  return null;
}

function idMatches(set: ValueSet<DeviceId> | undefined, device: PolicyDevice): boolean {
  return set === undefined || setMatches(set, [device], isDevice);
}

function textMatches(set: ValueSet<string> | undefined, text: string): boolean {
  return set === undefined || setMatches(set, [text], isSame);
}

/** Compared as text, as USBGuard does: upper-case hex digits match nothing (the check of a policy warns of them). */
function isDevice({ vendor, product }: DeviceId, { vendorId, productId }: PolicyDevice): boolean {
  return vendor === '*' || (vendor === vendorId && (product === '*' || product === productId));
}

function isInterface(pattern: InterfacePattern, found: InterfaceType): boolean {
  return (
    pattern.class === found.class &&
    (pattern.subclass === null || pattern.subclass === found.subclass) &&
    (pattern.protocol === null || pattern.protocol === found.protocol)
  );
}

function isSame(wanted: string, found: string): boolean {
  return wanted === found;
}

/** `found` are the device's values; a device without interfaces has none. */
function setMatches<W, F>(
  { operator, values }: ValueSet<W>,
  found: readonly F[],
  matches: (wanted: W, found: F) => boolean,
): boolean {
  const isFound = (wanted: W) => found.some((each) => matches(wanted, each));
  switch (operator) {
    case 'all-of':
      return values.every(isFound);
    case 'one-of':
      return values.some(isFound);
    case 'none-of':
      return !values.some(isFound);
    case 'equals':
      return values.length === found.length && values.every(isFound);
    case 'equals-ordered':
      return (
        values.length === found.length && found.every((each, index) => matches(values[index] as W, each))
      );
    case 'match-all':
      return found.every((each) => values.some((wanted) => matches(wanted, each)));
  }
}
