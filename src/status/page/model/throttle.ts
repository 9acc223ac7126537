// An asynchronous task that may be asked for at any rate -> run at once, then at most every `everyMs`, never twice at a time.

export function throttle(task: () => Promise<void>, everyMs: number): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    again = false;
    await task();
    setTimeout(() => {
      running = false;
      if (again) void run();
    }, everyMs);
  };
  return () => {
    if (running) again = true;
    else void run();
  };
}
