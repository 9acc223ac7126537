// [P10] A plugin's process is killed again and again, at random moments, while events keep coming: none may be lost to it, and on
// each device the order must hold. Each round is one kill; runs without a boundary where the machine cannot make one.
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredEvent } from '../../src/contracts/event.ts';
import { openTestWorld, sessionMaker } from '../plugins/plugin-world.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';
import { withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';

const EVENTS_PER_SECOND = 500;
const TICK_MS = 20;
const SUBJECTS = 7;
const UP_MS_MAX = 250;
const DRAIN_LIMIT_MS = 600_000;

const code = `export default {
  async onEvent(event, { emit }) {
    await emit('seen', { n: event.data.n, subject: event.subject });
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
  let session = await maker.open();
  await session.running;
  await test.buffer.openConsumer('plugin:probe', { from: 'now', mayExpire: true });
  await until('a first event is handled', () => maker.counters.delivered > 0, 60_000);
  const firstCounted = appended;
  for (let round = 1; round <= rounds; round += 1) {
    await delay(random.integer(UP_MS_MAX));
    session.session.kill('SIGKILL');
    await session.ended;
    session = await maker.open();
    await session.running;
    if (round % 100 === 0)
      say(`${round} kills, ${appended} events, ${maker.counters.delivered} acknowledged`);
  }
  appending = false;
  await feeding;
  const seen = new Map<number, { readonly at: number; readonly subject: string }>();
  let repeats = 0;
  let from = { generation: 0, number: 0 };
  const collect = async () => {
    for (;;) {
      const { events, position } = await test.buffer.read(from, 1_000);
      if (events.length === 0 && position === from) return;
      from = position;
      for (const event of events) {
        const saw = seenBy(event);
        if (saw === null) continue;
        if (seen.has(saw.n)) repeats += 1;
        else seen.set(saw.n, { at: seen.size, subject: saw.subject });
      }
    }
  };
  await until(
    'the plugin has caught up',
    async () => {
      await collect();
      return seen.has(appended - 1);
    },
    DRAIN_LIMIT_MS,
  ).catch(() => undefined);
  await session.session.stop();

  let lost = 0;
  for (let n = firstCounted; n < appended; n += 1) if (!seen.has(n)) lost += 1;
  let disorder = 0;
  const last = new Map<string, number>();
  for (const [n, { subject }] of seen) {
    if (n < (last.get(subject) ?? -1)) disorder += 1;
    last.set(subject, n);
  }
  const seconds = (performance.now() - began) / 1_000;
  say(
    `${rounds} kills in ${seconds.toFixed(0)} s, ${appended - firstCounted} events at ${EVENTS_PER_SECOND}/s: ${lost} lost, ${disorder} out of order on their device, ${repeats} handled again, ${maker.counters.parked} parked`,
  );
  if (lost > 0) yield `${lost} events were never handled`;
  if (disorder > 0) yield `${disorder} events came out of order`;
  if (maker.counters.parked > 0) yield `${maker.counters.parked} events were put aside`;
}

function seenBy({ json, type }: StoredEvent): { readonly n: number; readonly subject: string } | null {
  if (type !== 'plugin.probe.seen') return null;
  return (JSON.parse(json) as { readonly data: { readonly n: number; readonly subject: string } }).data;
}
