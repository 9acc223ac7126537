// [P10] A plugin's process is killed again and again, at random moments, while events keep coming: none may be lost to it, and on
// each device the order must hold. Each round is one kill; runs without a boundary where the machine cannot make one.
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredEvent } from '../../src/contracts/event.ts';
import { openTestWorld, sessionMaker, type TestWorld } from '../plugins/plugin-world.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';

const EVENTS_PER_SECOND = 500;
const TICK_MS = 20;
const SUBJECTS = 7;
const UP_MS_MAX = 250;
/** At the end it has as long as it needs, while something arrives at least this often. */
const STILL_LIMIT_MS = 60_000;

const code = `export default {
  async onEvent(event, { emit }) {
    // Not waited for: an acknowledgement counts once what was emitted before it is on disk.
    emit('seen', { n: event.data.n, subject: event.subject }).catch(() => undefined);
  },
};`;

export const drill: Drill = {
  about: 'SIGKILL of a plugin at random moments under 500 events/s; 0 lost, order per device kept',
  rounds: 1_000,
  async run({ n: rounds, seed, say }) {
    let failed = 0;
    for await (const problem of withCleanup((t) => killRounds(t, { rounds, seed, say }))) {
      failed += 1;
      say(problem);
    }
    return failed;
  },
};

async function* killRounds(
  t: Parameters<typeof openTestWorld>[0],
  {
    rounds,
    say,
    seed,
  }: { readonly rounds: number; readonly seed: number; readonly say: (line: string) => void },
): AsyncIterable<string> {
  const random = seededRandom(seed);
  const test = await openTestWorld(t);
  say(
    `boundary: ${test.world.boundary.missing.length === 0 ? 'complete' : test.world.boundary.missing.join('; ')}`,
  );
  const maker = await sessionMaker(test, { code });
  let appended = 0;
  let appending = true;
  const began = performance.now();
  const feeding = (async () => {
    while (appending) {
      const due = Math.floor(((performance.now() - began) / 1_000) * EVENTS_PER_SECOND);
      if (due > appended) {
        const first = appended;
        appended = due;
        await test.appendPlugs(first, due - first, SUBJECTS);
      }
      await delay(TICK_MS);
    }
  })();

  // The place in the stream begins with the first session: what counts is what comes after it runs.
  const judge = await startJudge(test);
  let session = await maker.open();
  await session.running;
  await until('a first event is handled', () => maker.counters.delivered > 0, 60_000);
  const firstCounted = appended;
  const countedMs = performance.now();
  for (let round = 1; round <= rounds; round += 1) {
    await delay(random.integer(UP_MS_MAX));
    session.session.kill('SIGKILL');
    await session.ended;
    session = await maker.open();
    await session.running;
    if (round % 100 === 0)
      say(`${round} kills, ${appended} events, ${maker.counters.delivered} acknowledged`);
  }
  const perSecond = ((appended - firstCounted) / (performance.now() - countedMs)) * 1_000;
  appending = false;
  await feeding;
  let [progressMs, best] = [performance.now(), -1];
  while (!judge.has(appended - 1) && performance.now() - progressMs < STILL_LIMIT_MS) {
    await delay(TICK_MS * 5);
    if (judge.newest > best) [progressMs, best] = [performance.now(), judge.newest];
  }
  await judge.stop();
  await session.session.stop();

  const waiting = appended - 1 - judge.newest;
  const { disorder, lost, repeats } = judge.verdict(firstCounted);
  const seconds = (performance.now() - began) / 1_000;
  say(
    `${rounds} kills in ${seconds.toFixed(0)} s, ${appended - firstCounted} events at ${perSecond.toFixed(0)}/s (asked: ${EVENTS_PER_SECOND}/s): ${lost} lost, ${disorder} out of order on their device, ${repeats} handled again, ${maker.counters.parked} parked`,
  );
  if (lost > 0) yield `${lost} events were never handled`;
  if (waiting > 0)
    yield `${waiting} events still wait, and nothing was handled for ${STILL_LIMIT_MS / 1_000} s`;
  if (disorder > 0) yield `${disorder} events came out of order`;
  if (maker.counters.parked > 0) yield `${maker.counters.parked} events were put aside`;
}

/** Reads what the plugin has said while it is said, as a consumer of its own: what every consumer has passed is trimmed. */
async function startJudge({ buffer }: TestWorld) {
  const cursor = await buffer.openConsumer('judge', { from: 'now', mayExpire: false });
  const seen = new Set<number>();
  let [disorder, newest, over, repeats] = [0, -1, false, 0];
  const last = new Map<string, number>();
  const take = (event: StoredEvent) => {
    const said = seenBy(event);
    if (said === null) return;
    const { n, subject } = said;
    if (seen.has(n)) {
      repeats += 1;
      return;
    }
    seen.add(n);
    if (n < (last.get(subject) ?? -1)) disorder += 1;
    last.set(subject, n);
    newest = Math.max(newest, n);
  };
  const reading = (async () => {
    for (let from = cursor.position; !over; ) {
      const { events, position } = await buffer.read(from, 1_000);
      for (const event of events) take(event);
      from = position;
      cursor.acknowledge(position);
      if (events.length === 0) await delay(TICK_MS);
    }
  })();
  return {
    get newest() {
      return newest;
    },
    has: (n: number) => seen.has(n),
    verdict(first: number) {
      let lost = 0;
      for (let n = first; n <= newest; n += 1) if (!seen.has(n)) lost += 1;
      return { disorder, lost, repeats };
    },
    stop() {
      over = true;
      return reading;
    },
  };
}

function seenBy({ json, type }: StoredEvent): { readonly n: number; readonly subject: string } | null {
  if (type !== 'plugin.probe.seen') return null;
  return (JSON.parse(json) as { readonly data: { readonly n: number; readonly subject: string } }).data;
}
