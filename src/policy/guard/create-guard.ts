// Sights of devices over time -> how much speaks for an attack at each port, with the evidence. Lives in the daemon's memory, bounded;
// asks no clock, the sights carry their time.
import {
  type DeviceSight,
  type Evidence,
  type EvidenceCode,
  evidenceOf,
  excuses,
  typingEvidence,
} from './evidence.ts';

export interface GuardScore {
  readonly score: number;
  readonly evidence: readonly Evidence[];
  /** Also what a label excuses: `scoreOf` judges it anew when the rules have changed. */
  readonly held: readonly Evidence[];
}

export interface Guard {
  /** `labels` of the rule that allows the device; '' where none does. */
  saw(sight: DeviceSight, labels: string): GuardScore;
  /** Key reports a second of a keyboard, measured over at least a second. */
  typed(port: string, reportsPerSecond: number, uptimeMs: number, labels: string): GuardScore;
}

interface PortMemory {
  readonly sights: DeviceSight[];
  typing: { readonly evidence: readonly Evidence[]; readonly untilMs: number } | null;
}

const MAX_PORTS = 512;
const MAX_SIGHTS = 64;
/** Pulling the plug after the attack does not clear its port. */
const TYPING_REMEMBERED_MS = 600_000;

export function createGuard(): Guard {
  const ports = new Map<string, PortMemory>();
  const memoryOf = (port: string): PortMemory => {
    const memory = ports.get(port) ?? { sights: [], typing: null };
    // The port that was longest without a sight is the one to forget.
    ports.delete(port);
    ports.set(port, memory);
    const [oldest] = ports.keys();
    if (ports.size > MAX_PORTS && oldest !== undefined) ports.delete(oldest);
    return memory;
  };
  const heldAgainst = ({ sights, typing }: PortMemory, uptimeMs: number): readonly Evidence[] => {
    const now = sights.at(-1);
    const found =
      now === undefined ? [] : evidenceOf(now, [...sights.slice(0, -1), ...elsewhere(ports, now)]);
    return typing !== null && uptimeMs <= typing.untilMs ? [...found, ...typing.evidence] : found;
  };
  return {
    saw(sight, labels) {
      const memory = memoryOf(sight.port);
      memory.sights.push(sight);
      if (memory.sights.length > MAX_SIGHTS) memory.sights.shift();
      return scoreOf(heldAgainst(memory, sight.uptimeMs), labels);
    },
    typed(port, reportsPerSecond, uptimeMs, labels) {
      const memory = memoryOf(port);
      const evidence = typingEvidence(reportsPerSecond);
      if (evidence.length > 0) memory.typing = { evidence, untilMs: uptimeMs + TYPING_REMEMBERED_MS };
      return scoreOf(heldAgainst(memory, uptimeMs), labels);
    },
  };
}

/** What was held against a device when it was seen, by the label of the rule that allows it now. */
export function scoreOf(held: readonly Evidence[], labels: string): GuardScore {
  const evidence = held.filter(({ code }) => !isExcused(code, labels));
  return { score: evidence.reduce((sum, { points }) => sum + points, 0), evidence, held };
}

export function isExcused(code: EvidenceCode, labels: string): boolean {
  return excusedBy(labels).has(code);
}

/** A device with a serial is the same at another port. Sights there count for its functions alone, so they are given as old. */
function elsewhere(ports: ReadonlyMap<string, PortMemory>, now: DeviceSight): readonly DeviceSight[] {
  if (now.serial === '') return [];
  return [...ports].flatMap(([port, { sights }]) =>
    port === now.port
      ? []
      : sights
          .filter(
            ({ serial, vendorId, productId }) =>
              serial === now.serial && vendorId === now.vendorId && productId === now.productId,
          )
          .map((sight) => ({ ...sight, uptimeMs: Number.NEGATIVE_INFINITY })),
  );
}

function excusedBy(labels: string): ReadonlySet<EvidenceCode> {
  return new Set(
    labels.split(/[^a-z-]+/).flatMap((word) => (Object.hasOwn(excuses, word) ? (excuses[word] ?? []) : [])),
  );
}
