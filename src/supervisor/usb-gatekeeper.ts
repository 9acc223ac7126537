// Policy, safety floor, override and guard -> one verdict for a device. Joins policy/ and usb/: asked by the watch's gate, parents before
// their children. Runs on the daemon's main thread and does no I/O. Longer than most files because the order in which they overrule each
// other, and what each must remember of a device, is decided here and nowhere else.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../contracts/clock.ts';
import type { PolicyConfig } from '../contracts/config/policy-config.ts';
import type { EventData } from '../contracts/event-types.ts';
import type { UnjudgedDevice, UsbGatekeeper, UsbVerdict } from '../contracts/usb-policy.ts';
import { textHash } from '../policy/device-hash.ts';
import { evaluatePolicy, type Verdict } from '../policy/evaluate-policy.ts';
import { createGuard, type GuardScore, isExcused, scoreOf } from '../policy/guard/create-guard.ts';
import type { Evidence } from '../policy/guard/evidence.ts';
import type { PolicyDevice } from '../policy/policy-device.ts';
import type { Policy } from '../policy/rule.ts';
import { createRuleHistory } from '../policy/rule-history.ts';
import { type FloorReason, floorOf, isKeyboard } from '../policy/safety-floor.ts';
import { toPolicyDevice } from '../policy/to-policy-device.ts';
import type { PolicyFiles } from './policy-files.ts';

export interface GatekeeperOptions {
  readonly config: PolicyConfig;
  readonly files: Pick<PolicyFiles, 'now'>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ports of what the system was started from. */
  readonly bootPorts: ReadonlySet<string>;
  /** false: any device that works may be what the system was started from. */
  readonly isBootTold: boolean;
  readonly onSuspected: (data: EventData<'usb.device.suspected'>) => void;
}

export interface Gatekeeper extends UsbGatekeeper {
  /** As rules see it; null: nothing is there, or it could not be read. */
  deviceAt(port: string): PolicyDevice | null;
  /** Another one after every plug. */
  addressAt(port: string): number | null;
  /** What holds for it, and since when: judged again with the same outcome it is as old as before. */
  verdictAt(port: string): GivenVerdict | null;
  /** Why no rule may cut off what is there. */
  protectedBy(port: string): FloorReason | null;
  /** Keyboards that work: port and address. */
  keyboards(): readonly { readonly port: string; readonly address: number }[];
  /** Key reports a second of one of them. */
  typed(port: string, reportsPerSecond: number): void;
}

export interface GivenVerdict {
  readonly verdict: UsbVerdict;
  readonly sinceUptimeMs: number;
}

interface Known {
  readonly address: number;
  readonly device: PolicyDevice;
  readonly verdict: UsbVerdict;
  /** Of the rule that allows it now. */
  readonly labels: string;
}

/** What the guard found when the device was plugged in: holds until it leaves, however often it is judged, and whether it can be read. */
interface Sighted {
  readonly address: number;
  readonly held: readonly Evidence[];
  readonly isSuspected: boolean;
}

interface Findings {
  readonly raw: UnjudgedDevice;
  readonly device: PolicyDevice;
  readonly floor: FloorReason | null;
  readonly ruled: Verdict;
  /** null: the guard does not look at it. */
  readonly score: GuardScore | null;
  readonly labels: string;
}

const MAX_REASON = 600;

/**
 * INVARIANTS
 * - Root hubs, hubs and the boot medium are allowed whatever else holds.
 * - A keyboard that works is the last one to go only when the policy was forced, or when the guard blocks it.
 */
export function createGatekeeper(options: GatekeeperOptions): Gatekeeper {
  const { config, files, clock } = options;
  const known = new Map<string, Known>();
  const sighted = new Map<string, Sighted>();
  const given = new Map<string, GivenVerdict & { readonly address: number }>();
  /** null: it has left, and what is plugged in there now is another device. */
  const bootAddresses = new Map<string, number | null>();
  const history = createRuleHistory();
  const guard = createGuard();
  const typingBlocked = new Set<string>();
  let guardGeneration = 0;
  let tidiedPolicy: Policy | null = null;

  const judge = (raw: UnjudgedDevice): UsbVerdict => {
    const verdict = judgeNow(raw);
    const { port, address } = raw;
    const before = given.get(port);
    if (before?.address !== address || !isDeepStrictEqual(before.verdict, verdict))
      given.set(port, { address, verdict, sinceUptimeMs: clock.uptimeMs() });
    return verdict;
  };

  const judgeNow = (raw: UnjudgedDevice): UsbVerdict => {
    const { port, address } = raw;
    const parentHash =
      raw.parentPort === null ? textHash(raw.parentPath) : (known.get(raw.parentPort)?.device.hash ?? '');
    const attributes = { ...raw, ...idsOf(raw.descriptors) };
    const readable = toPolicyDevice(attributes, parentHash);
    if (!readable.ok) {
      known.delete(port);
      const isAllowed = raw.parentPort === null || files.now().isOverridden;
      const reason = `no rule can judge it: ${readable.code}`;
      return verdictOf(
        isAllowed ? 'allow' : 'block',
        raw.parentPort === null ? 'floor' : 'unreadable',
        reason,
      );
    }
    const { device } = readable;
    const floor = floorOf(device, bootPortsFor(port, address));
    const ruled = ruledBy(device);
    const labels = ruled.target === 'allow' ? (ruled.rule?.rule.label?.values.join(' ') ?? '') : '';
    const score = floor === null ? guarded(device, labels, address) : null;
    const verdict = decide({ raw, device, floor, ruled, score, labels });
    known.set(port, { address, device, verdict, labels });
    return verdict;
  };

  const ruledBy = (device: PolicyDevice): Verdict => {
    const { policy } = files.now();
    if (policy !== tidiedPolicy) history.keepOnly(new Set(policy.rules.map(({ text }) => text)));
    tidiedPolicy = policy;
    const allowed = [...known].flatMap(([port, { device: other, verdict }]) =>
      port !== device.viaPort && verdict.target === 'allow' ? [other] : [],
    );
    return evaluatePolicy(policy, device, {
      implicitTarget: config.implicitTarget,
      uptimeMs: clock.uptimeMs(),
      secondOfDay: secondOfDay(),
      random: options.random,
      allowed,
      history,
    });
  };

  const decide = ({ raw, device, floor, ruled, score, labels }: Findings): UsbVerdict => {
    const { isForced, isOverridden } = files.now();
    if (floor !== null) return verdictOf('allow', 'floor', `${floor}: no policy cuts it off`);
    if (isOverridden)
      return verdictOf(
        'allow',
        'override',
        'somebody at the computer has switched the policy off for a while',
      );
    const isTypist = typingBlocked.has(device.hash) && !isExcused('machine-typing', labels);
    if (config.guard === 'block' && (isAttack(score) || isTypist))
      return verdictOf('block', 'guard', isAttack(score) ? why(score) : 'it typed like a machine');
    const isCut = ruled.target !== 'allow' && raw.isAuthorized && config.mode === 'enforce';
    if (isCut && !options.isBootTold)
      return verdictOf('allow', 'floor', 'boot-medium: it works, and the system may run from it');
    if (isCut && !isForced && isLastKeyboard(device))
      return verdictOf('allow', 'floor', 'last-keyboard: no policy cuts it off unless it is forced');
    const reason =
      ruled.rule === null ? `no rule applies; policy.implicitTarget is ${ruled.target}` : ruled.rule.text;
    const line = ruled.rule === null ? {} : { line: ruled.rule.line };
    return { ...verdictOf(ruled.target, ruled.rule === null ? 'implicit' : 'rule', reason), ...line };
  };

  const verdictOf = (target: UsbVerdict['target'], by: UsbVerdict['by'], reason: string): UsbVerdict => ({
    target,
    by,
    reason: reason.slice(0, MAX_REASON),
    enforced: config.mode === 'enforce' || (by === 'guard' && config.mode === 'report'),
  });

  const guarded = (device: PolicyDevice, labels: string, address: number): GuardScore | null => {
    if (config.guard === 'off') return null;
    const { viaPort: port, vendorId, productId, serial, interfaces } = device;
    const before = sighted.get(port);
    const isFirst = before?.address !== address;
    const sight = { port, vendorId, productId, serial, interfaces, uptimeMs: clock.uptimeMs() };
    const score = isFirst ? guard.saw(sight, labels) : scoreOf(before.held, labels);
    const isSuspected = isAttack(score);
    sighted.set(port, { address, held: score.held, isSuspected });
    if (isSuspected && (isFirst || !before.isSuspected)) suspect(port, score);
    return score;
  };
  const isAttack = (score: GuardScore | null): score is GuardScore =>
    score !== null && score.score >= config.guardScore;
  const suspect = (port: string, { score, evidence }: GuardScore) =>
    options.onSuspected({ port, score, evidence: [...evidence], blocked: config.guard === 'block' });
  const why = ({ score, evidence }: GuardScore) =>
    `behaves like an attack (${score} points): ${evidence.map((each) => each.why).join('; ')}`;

  const isLastKeyboard = (device: PolicyDevice): boolean =>
    isKeyboard(device) &&
    ![...known].some(
      ([port, other]) =>
        port !== device.viaPort && other.verdict.target === 'allow' && isKeyboard(other.device),
    );

  /** What was plugged into the port since is no boot medium. */
  const bootPortsFor = (port: string, address: number): ReadonlySet<string> => {
    if (!options.bootPorts.has(port)) return options.bootPorts;
    if (!bootAddresses.has(port)) bootAddresses.set(port, address);
    return bootAddresses.get(port) === address ? options.bootPorts : new Set();
  };

  const secondOfDay = (): number | null => {
    const { wallMs, synced } = clock.now();
    if (!synced) return null;
    const date = new Date(wallMs);
    return date.getHours() * 3_600 + date.getMinutes() * 60 + date.getSeconds();
  };

  return {
    judge,
    forget(port) {
      known.delete(port);
      sighted.delete(port);
      given.delete(port);
      if (bootAddresses.has(port)) bootAddresses.set(port, null);
    },
    deviceAt: (port) => known.get(port)?.device ?? null,
    addressAt: (port) => known.get(port)?.address ?? null,
    verdictAt: (port) => given.get(port) ?? null,
    protectedBy(port) {
      const found = known.get(port);
      if (found === undefined) return null;
      const floor = floorOf(found.device, bootPortsFor(port, found.address));
      if (floor !== null) return floor;
      return found.verdict.target === 'allow' && isLastKeyboard(found.device) ? 'last-keyboard' : null;
    },
    generation: () => files.now().generation + guardGeneration,
    keyboards: () =>
      [...known].flatMap(([port, { address, device, verdict }]) =>
        isKeyboard(device) && (verdict.target === 'allow' || !verdict.enforced) ? [{ port, address }] : [],
      ),
    typed(port, reportsPerSecond) {
      const found = known.get(port);
      if (found === undefined || config.guard === 'off' || typingBlocked.has(found.device.hash)) return;
      const score = guard.typed(port, reportsPerSecond, clock.uptimeMs(), found.labels);
      if (!isAttack(score)) return;
      typingBlocked.add(found.device.hash);
      // Whoever is told looks at once which devices were judged before.
      guardGeneration += 1;
      suspect(port, score);
    },
  };
}

/** As sysfs writes them, out of the descriptors that were read through the same folder. */
function idsOf(descriptors: Uint8Array | null) {
  if (descriptors === null || descriptors.length < 12) return { idVendor: null, idProduct: null };
  const view = Buffer.from(descriptors.buffer, descriptors.byteOffset, descriptors.length);
  const hex = (at: number) => Buffer.from(view.readUInt16LE(at).toString(16).padStart(4, '0'), 'latin1');
  return { idVendor: hex(8), idProduct: hex(10) };
}
