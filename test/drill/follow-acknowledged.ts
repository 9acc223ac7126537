// The daemon's live event stream -> the checker: an event appears there after it was stored and fsynced, so whoever sees it may rely
// on it. Asks again, from the last one on, whenever the daemon goes away.
import { setTimeout as delay } from 'node:timers/promises';
import { type Acknowledged, contentCrc } from '../support/checker/record-lines.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const RETRY_MS = 100;

/** Ends the drill: with nothing acknowledged it could not find anything lost. */
class Refused extends Error {}

export function followAcknowledged(
  t: Cleanup,
  statusUrl: string,
  acknowledged: (record: Acknowledged) => void,
): { stop(): void } {
  const ending = new AbortController();
  const { signal } = ending;
  let last: string | null = null;
  const take = (block: string) => {
    const id = /^id: (.+)$/m.exec(block)?.[1];
    const json = /^data: (.+)$/m.exec(block)?.[1];
    if (id === undefined || json === undefined) return;
    const event = JSON.parse(json) as { readonly id?: string; readonly source?: string };
    if (event.source === undefined || event.id === undefined) return;
    last = id;
    acknowledged({ source: event.source, id: event.id, crc: contentCrc(json) });
  };
  const listen = async () => {
    const headers = last === null ? {} : { 'Last-Event-ID': last };
    const { body, status } = await fetch(`${statusUrl}/api/v1/events`, { headers, signal });
    if (status === 401 || status === 403)
      throw new Refused(`the event stream answers ${status}: the drill's daemon needs status.public: all`);
    if (body === null) return;
    let rest = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) take(block);
    }
  };
  const run = async () => {
    while (!signal.aborted) {
      // Nobody listens while the daemon is being restarted.
      await listen().catch((thrown: unknown) => {
        if (thrown instanceof Refused) throw thrown;
      });
      await delay(RETRY_MS);
    }
  };
  const running = run();
  t.after(async () => {
    ending.abort();
    await running;
  });
  return { stop: () => ending.abort() };
}
