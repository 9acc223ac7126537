// The device list -> the listeners that want it, whenever it changes: a device shows at once, also while the store takes no events.

/** So long is a push kept back after the one before, at least. */
const PAUSE_MS = 40;
/** As often as changes go on and on; before that there is room for a crowd of plugs, each with its changes. */
const SUSTAINED_MS = 100;
const BURST = 200;
/** Of the daemon's time that pushes may take, in the long run: a fiftieth. */
const PAUSE_PER_WORK = 50;

export interface DeviceFeed {
  /** The list as it is now, as a server-sent event. */
  text(): string;
  /** The list has changed: it is pushed now or, soon after another push, a little later. */
  changed(): void;
  stop(): void;
}

export interface DeviceFeedOptions {
  /** The answer to GET /api/v1/devices. */
  readonly document: () => unknown;
  /** Hands the text made by `text` to those who listen; does not call it when there is nobody. */
  readonly push: (text: () => string) => void;
  readonly nowMs: () => number;
}

export function createDeviceFeed({ document, nowMs, push }: DeviceFeedOptions): DeviceFeed {
  let pause: NodeJS.Timeout | undefined;
  let hasChanged = false;
  /** Each push costs SUSTAINED_MS, more when it was much work, and time pays: what is owed beyond BURST of them is waited for. */
  let owedMs = 0;
  let lastMs = 0;
  const text = () => `event: stream.devices\ndata: ${JSON.stringify(document())}\n\n`;
  const changed = () => {
    hasChanged = true;
    if (pause !== undefined) return;
    hasChanged = false;
    const beganMs = nowMs();
    push(text);
    const workMs = nowMs() - beganMs;
    owedMs = Math.max(0, owedMs - (beganMs - lastMs)) + Math.max(SUSTAINED_MS, PAUSE_PER_WORK * workMs);
    lastMs = beganMs;
    pause = setTimeout(
      () => {
        pause = undefined;
        if (hasChanged) changed();
      },
      Math.max(PAUSE_MS, owedMs - BURST * SUSTAINED_MS),
    );
    pause.unref();
  };
  return { text, changed, stop: () => clearTimeout(pause) };
}
