// The device list -> the listeners that want it, whenever it changes: a device shows at once, also while the store takes no events.

/** So long is a push kept back after the one before; twice as long after each that was, up to the longest. */
const PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 1_000;
/** Of the daemon's time that pushes may take: a fiftieth. */
const PAUSE_PER_WORK = 50;

export interface DeviceFeed {
  /** The list as it is now, as a server-sent event. */
  text(): string;
  /** The list has changed: it is pushed now or, soon after another push, a little later. */
  changed(): void;
  stop(): void;
}

/**
 * @param document the answer to GET /api/v1/devices
 * @param push hands the text made by `text` to those who listen; does not call it when there is nobody
 */
export function createDeviceFeed(document: () => unknown, push: (text: () => string) => void): DeviceFeed {
  let pause: NodeJS.Timeout | undefined;
  let pauseMs = PAUSE_MS;
  let hasChanged = false;
  const text = () => `event: stream.devices\ndata: ${JSON.stringify(document())}\n\n`;
  const changed = () => {
    hasChanged = true;
    if (pause !== undefined) return;
    hasChanged = false;
    const began = performance.now();
    push(text);
    const workMs = performance.now() - began;
    pause = setTimeout(
      () => {
        pause = undefined;
        pauseMs = hasChanged ? Math.min(2 * pauseMs, LONGEST_PAUSE_MS) : PAUSE_MS;
        if (hasChanged) changed();
      },
      Math.max(pauseMs, PAUSE_PER_WORK * workMs),
    );
    pause.unref();
  };
  return { text, changed, stop: () => clearTimeout(pause) };
}
