// The product in one sentence: watch the bus, make events, store them; readers take them from there.
// Everything here runs on the daemon's one thread; the stages know nothing of each other.

import type { EventBuffer } from '../buffer/open-buffer.ts';
import type { BufferDepth, StatePatch } from '../contracts/buffer.ts';
import type { Clock } from '../contracts/clock.ts';
import type { UsbConfig } from '../contracts/config/usb-config.ts';
import type { EventDraft } from '../contracts/event.ts';
import type { EventData, EventType } from '../contracts/event-types.ts';
import type { ReportHealth } from '../contracts/health.ts';
import type { Log } from '../contracts/log.ts';
import type { EventsMetrics, Metrics } from '../contracts/metrics.ts';
import type { UsbChange, UsbState } from '../contracts/usb-change.ts';
import type { UsbDevice } from '../contracts/usb-device.ts';
import type { UsbGatekeeper } from '../contracts/usb-policy.ts';
import { createEventMaker, type EventMaker, type Made } from '../events/event-maker.ts';
import { parseUsbState } from '../events/usb-state.ts';
import { withVerdictDrafts } from '../events/verdict-drafts.ts';
import { errorText } from '../lib/error-text.ts';
import { startUsbWatch, type UsbWatch } from '../usb/start-usb-watch.ts';

/** How long the start waits for what was stored; after that the bus is watched all the same. */
const STATE_WAIT_MS = 3_000;
/** Changes kept while the stored state is still unknown; beyond it a scan tells the net state. */
const HELD_MAX = 10_000;

/** The provisional maker's changes are given to the real one again: they count there. */
const uncounted: EventsMetrics = {
  made: { add: () => undefined },
  deduplicated: { add: () => undefined },
  folded: { add: () => undefined },
};

export type StoredState = Readonly<Record<string, string>>;

export interface Pipeline {
  devices(): readonly UsbDevice[];
  depth(): BufferDepth;
  /** Puts an event of the appliance itself into the stream, and changes the stored state with it. */
  say<T extends EventType>(type: T, subject: string, data: EventData<T>, state?: StatePatch): void;
  /** The USB policy has changed: every device is judged again. */
  rejudge(): Promise<void>;
  stop(why: string): Promise<void>;
}

export interface PipelineOptions {
  readonly config: UsbConfig;
  readonly buffer: EventBuffer;
  /** The state hash as the last run left it; resolves once Redis answers. */
  readonly stored: Promise<StoredState>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly traceparent: () => string;
  readonly report: (part: string) => ReportHealth;
  readonly onDevices: () => void;
  /** Decides about USB authorization; left out: it is left alone. */
  readonly gatekeeper?: UsbGatekeeper | undefined;
}

/**
 * INVARIANTS
 * - The maker's events and its state patch go to the same append, so what is stored as plugged in is what the events said.
 * - Until the stored state is known nothing is stored; a provisional maker keeps the device list right meanwhile.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { buffer, clock, config, log, metrics } = options;
  const newMaker = (known: UsbState | null, counters: EventsMetrics): EventMaker =>
    createEventMaker({
      limits: config,
      bootId: clock.bootId,
      known,
      metrics: counters,
      traceparent: options.traceparent,
    });

  let maker = newMaker(null, uncounted);
  let storing = false;
  let held: UsbChange[] = [];
  let overflowed = false;
  let rescanWanted = false;
  let timer: NodeJS.Timeout | undefined;
  let watch: UsbWatch | undefined;

  const store = ({ drafts, state }: Made) => {
    if (drafts.length > 0 || Object.keys(state).length > 0)
      void buffer.append(withVerdictDrafts(drafts), state);
    if (drafts.length > 0) {
      metrics.usb.devices.set(maker.devices().length);
      options.onDevices();
    }
  };
  const schedule = () => {
    clearTimeout(timer);
    const dueMs = maker.nextDueMs();
    if (dueMs === null) return;
    timer = setTimeout(
      () => {
        const made = maker.due(clock.uptimeMs());
        if (storing) store(made);
        schedule();
      },
      Math.max(0, dueMs - clock.uptimeMs()),
    );
  };
  const take = (changes: readonly UsbChange[]) => {
    for (const change of changes) {
      const made = maker.take(change);
      if (storing) store(made);
      else if (held.length < HELD_MAX) held.push(change);
      else overflowed = true;
    }
    schedule();
  };
  const beginStoring = (known: UsbState | null) => {
    maker = newMaker(known, metrics.events);
    storing = true;
    const waiting = held;
    held = [];
    take(waiting);
    if (!overflowed) return;
    overflowed = false;
    rescanWanted = watch === undefined;
    void watch?.rescan();
  };

  const stored = options.stored.then((fields) => usbStateOf(fields, buffer, log));
  const timeout = Promise.withResolvers<'late'>();
  const lateTimer = setTimeout(() => timeout.resolve('late'), STATE_WAIT_MS);
  const known = await Promise.race([stored, timeout.promise]);
  clearTimeout(lateTimer);
  if (known === 'late') {
    log.warn({}, 'Redis has not answered yet: the bus is watched, its events are stored once it answers');
    stored.then(beginStoring, (cause: unknown) =>
      log.warn(
        { held: held.length, why: errorText(cause) },
        'Redis never answered: what was seen is not stored',
      ),
    );
  } else {
    beginStoring(known);
  }

  watch = await startUsbWatch({
    config,
    clock,
    metrics: metrics.usb,
    log: log.child({ part: 'usb' }),
    report: options.report,
    known: known === 'late' ? null : known,
    take,
    gatekeeper: options.gatekeeper,
  });
  if (rescanWanted) void watch.rescan();

  const say: Pipeline['say'] = (type, subject, data, state) => {
    const draft: EventDraft = {
      type,
      subject,
      data,
      observed: clock.now(),
      traceparent: options.traceparent(),
    };
    metrics.events.made.add(1, { type });
    void buffer.append([draft], state);
  };

  return {
    devices: () => maker.devices(),
    depth: () => buffer.depth(),
    say,
    rejudge: () => watch.rejudge(),
    async stop(why) {
      await watch.stop();
      clearTimeout(timer);
      if (storing) store(maker.flush(clock.now()));
      say('system.stopping', 'system', { why }, { 'system.running': null });
    },
  };
}

function usbStateOf(fields: StoredState, buffer: EventBuffer, log: Log): UsbState | null {
  const { state, problems, repair } = parseUsbState(fields);
  if (problems.length > 0) {
    log.warn({ problems }, 'parts of the stored USB state are damaged: a scan of the bus takes their place');
    void buffer.append([], repair);
  }
  return state;
}
