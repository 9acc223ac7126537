// Signs of the kernel's log, in order -> what goes on at the ports now, and each failure once. Pure but for its timer.
import type { UsbPortFault } from '../../contracts/usb-port-state.ts';
import type { KernelRecord } from './parse-kernel-log.ts';
import type { PortSign } from './port-sign.ts';

export interface PortFailure {
  readonly port: string;
  readonly code: UsbPortFault;
  readonly why: string;
  /** In a row, without a device between them; those that were not told on their own are in the next one. */
  readonly times: number;
  readonly uptimeMs: number;
  /** Number of the record that told of it. */
  readonly sequence: number;
}

/** What the kernel has read of it so far. */
interface Claims {
  readonly vendorId?: string;
  readonly productId?: string;
  readonly manufacturer?: string;
  readonly product?: string;
}

export type PortNow = Claims &
  (
    | {
        readonly state: 'enumerating';
        readonly port: string;
        readonly speedMbps: number;
        readonly sinceMs: number;
      }
    | ({ readonly state: 'failed'; readonly sinceMs: number } & Omit<PortFailure, 'uptimeMs' | 'sequence'>)
  );

export interface PortStates {
  take(
    sign: Exclude<PortSign, { readonly kind: 'controller' }>,
    record: Pick<KernelRecord, 'uptimeMs' | 'sequence'>,
  ): void;
  now(): readonly PortNow[];
  stop(): void;
}

/** The kernel tries for 45 s with a device that is silent (hub.c: three times 5 s, twice, and a power cycle). */
const ENUMERATING_MS = 60_000;
/** From the kernel's own line until its record is read and judged. */
const FOUND_MS = 2_000;
/** Nothing tells that what never became a device has been pulled out: so long it is shown. */
const FAILED_MS = 900_000;
/** Within this the kernel tells that the device has left. */
const DOUBT_MS = 1_000;
const MAX_PORTS = 256;

interface Trouble {
  readonly code: UsbPortFault;
  readonly why: string;
  readonly atMs: number;
}

interface Entry {
  readonly now: PortNow;
  readonly times: number;
  readonly endsMs: number;
}

export function createPortStates(options: {
  readonly uptimeMs: () => number;
  readonly onChange: () => void;
  readonly onFailed: (failure: PortFailure) => void;
}): PortStates {
  const { onChange, onFailed, uptimeMs } = options;
  const entries = new Map<string, Entry>();
  /** What went wrong last, by port: the kernel says so before it gives up, and of devices that work and are reset. */
  const troubles = new Map<string, Trouble>();
  /** Failures that count only if the device is still there a little later. */
  const doubts = new Map<string, NodeJS.Timeout>();
  let timer: NodeJS.Timeout | undefined;

  const expire = () => {
    const size = entries.size;
    for (const [port, { endsMs }] of entries) if (endsMs <= uptimeMs()) entries.delete(port);
    arm();
    if (entries.size !== size) onChange();
  };
  const arm = () => {
    clearTimeout(timer);
    if (entries.size === 0) return;
    const nextMs = Math.min(...[...entries.values()].map(({ endsMs }) => endsMs));
    timer = setTimeout(expire, Math.max(0, nextMs - uptimeMs()) + 1);
    timer.unref();
  };
  const set = (port: string, entry: Entry) => {
    if (!entries.has(port) && entries.size >= MAX_PORTS) return;
    entries.set(port, entry);
    arm();
    onChange();
  };

  const fail = (failure: Omit<PortFailure, 'times'>) => {
    const { code, port, uptimeMs: sinceMs, why } = failure;
    const known = entries.get(port);
    const times = (known?.times ?? 0) + 1;
    const claims = known === undefined ? {} : claimsOf(known.now);
    const now = { ...claims, state: 'failed', port, code, why, times, sinceMs } as const;
    set(port, { now, times, endsMs: sinceMs + FAILED_MS });
    onFailed({ ...failure, times });
  };
  const forgetDoubt = (port: string) => {
    clearTimeout(doubts.get(port));
    doubts.delete(port);
  };

  return {
    take(sign, { uptimeMs: sinceMs, sequence }) {
      const { kind, port } = sign;
      const known = entries.get(port);
      switch (kind) {
        case 'enumerating': {
          forgetDoubt(port);
          const { speedMbps } = sign;
          const times = known?.times ?? 0;
          // The kernel's second try is the same plug.
          const isSame = known?.now.state === 'enumerating';
          const begunMs = isSame ? known.now.sinceMs : sinceMs;
          const now = { state: 'enumerating', port, speedMbps, sinceMs: begunMs } as const;
          return set(port, { now, times, endsMs: sinceMs + ENUMERATING_MS });
        }
        case 'trouble':
          if (troubles.size >= MAX_PORTS) troubles.clear();
          troubles.set(port, { code: sign.code, why: sign.why, atMs: sinceMs });
          return;
        case 'failed': {
          // The kernel's last word on what it has told of already.
          if (sign.code === null && known?.now.state === 'failed' && !troubles.has(port)) return;
          const last = sign.code === null ? troubles.get(port) : undefined;
          const trouble = last !== undefined && sinceMs - last.atMs < ENUMERATING_MS ? last : undefined;
          troubles.delete(port);
          const code = sign.code ?? trouble?.code ?? 'usb.port-no-answer';
          const why = trouble === undefined ? sign.why : `${trouble.why}; ${sign.why}`;
          // So it reads as well when it is pulled out before it is set up: its end follows at once.
          if (code !== 'usb.port-not-configured')
            return fail({ port, code, why, uptimeMs: sinceMs, sequence });
          clearTimeout(doubts.get(port));
          const later = () => {
            doubts.delete(port);
            fail({ port, code, why, uptimeMs: sinceMs, sequence });
          };
          doubts.set(port, setTimeout(later, DOUBT_MS).unref());
          return;
        }
        case 'found': {
          troubles.delete(port);
          if (known === undefined) return;
          const { vendorId, productId } = sign;
          const endsMs = Math.min(known.endsMs, sinceMs + FOUND_MS);
          return set(port, { ...known, now: { ...known.now, vendorId, productId }, times: 0, endsMs });
        }
        case 'named':
          if (known === undefined) return;
          return set(port, { ...known, now: { ...known.now, [sign.what]: sign.text } });
        case 'gone': {
          const size = entries.size;
          const below = port.endsWith('-') ? port : `${port}.`;
          for (const each of [...entries.keys(), ...troubles.keys(), ...doubts.keys()]) {
            if (each !== port && !each.startsWith(below)) continue;
            forgetDoubt(each);
            entries.delete(each);
            troubles.delete(each);
          }
          if (entries.size !== size) onChange();
          return arm();
        }
      }
    },
    now: () => [...entries.values()].map(({ now }) => now),
    stop() {
      clearTimeout(timer);
      for (const port of [...doubts.keys()]) forgetDoubt(port);
    },
  };
}

function claimsOf({ manufacturer, product, productId, vendorId }: PortNow): Claims {
  return {
    ...(vendorId !== undefined && { vendorId }),
    ...(productId !== undefined && { productId }),
    ...(manufacturer !== undefined && { manufacturer }),
    ...(product !== undefined && { product }),
  };
}
