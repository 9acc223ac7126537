// An asynchronous task that may be asked for at any rate -> run at once, then at most every so often, never twice at a time.

/** @param pauseMs asked after every run: how long the next one waits at least */
export function throttle(task: () => Promise<void>, pauseMs: () => number): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    again = false;
    await task();
    setTimeout(() => {
      running = false;
      if (again) void run();
    }, pauseMs());
  };
  return () => {
    if (running) again = true;
    else void run();
  };
}
