// The guest's uptime beside the clock of this process: what the guest says of a moment can be told in the host's time.

/** How far the guest's uptime is ahead of performance.now(), in ms; the nearest of a few looks, each late by what it takes. */
export async function readUptimeAhead(shell: { must(script: string): Promise<string> }): Promise<number> {
  const found: number[] = [];
  for (let look = 0; look < 5; look += 1) {
    const uptimeMs = Number(/^\S+/.exec(await shell.must('cat /proc/uptime'))?.[0]) * 1_000;
    found.push(uptimeMs - performance.now());
  }
  return Math.max(...found);
}
