// The page open in Chromium while 200 events a second come: a round is a minute. What the browser keeps, and what an open page costs
// the appliance beside the same minute without one.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'puppeteer-core';
import { startChromium } from '../support/chromium.ts';
import { until } from '../support/until.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';
import { readPssMB } from './live-memory.ts';
import { type Rig, startRig } from './rig.ts';

const ROUND_MS = 60_000;
/** Until its code is compiled the daemon takes twice as much. */
const WARM_UP_MS = 45_000;
/** A plug is two events (added, ready), an unplug is one. */
const CHANGES_PER_SECOND = 133;
const CLOCK_TICKS_PER_SECOND = 100;
/** What the heap may grow over its start: the sizes of collected heaps differ by so much. */
const MAY_GROW_BYTES = 3_000_000;

const ports = ['1-1', '1-2', '1-3', '1-4', '1-5', '1-6', '1-7', '1-8'];

export const drill: Drill = {
  about:
    'the page open at 200 events a second: memory of the browser, cost for the appliance; a round is a minute',
  rounds: 30,
  async run({ n, say }) {
    let failed = 0;
    for await (const round of withCleanup((t) => minutes(t, n))) {
      say(round.text);
      if (!round.ok) failed += 1;
    }
    return failed;
  },
};

interface Round {
  readonly ok: boolean;
  readonly text: string;
}

async function* minutes(t: Cleanup, n: number): AsyncIterable<Round> {
  const rig = await startRig(t, { isAccounted: false });
  rig.startDaemon();
  const url = await until('the page has an address', () => {
    const line = rig.daemon.log.find((each) => typeof each.url === 'string');
    return typeof line?.url === 'string' ? line.url : false;
  });
  const feed = startFlaps(rig);
  t.after(() => feed.stop());
  await delay(WARM_UP_MS);
  const before = await measure(rig, url, ROUND_MS);
  yield { ok: true, text: `without a page: ${describe(before)}` };

  const browser = await startChromium(t);
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${url}/#/events`);
  // Full of rows: what it holds from now on may not grow.
  await page.waitForFunction("document.querySelectorAll('.events li').length === 400");
  const held = [await memory(browser, page)];
  const start = held[0]?.heapBytes ?? 0;
  const open: Measured[] = [];
  for (let minute = 1; minute <= n; minute++) {
    const measured = await measure(rig, url, ROUND_MS);
    const kept = await memory(browser, page);
    open.push(measured);
    held.push(kept);
    const rows = Number(await page.evaluate("document.querySelectorAll('.events li').length"));
    const state = String(await page.evaluate("document.querySelector('.head p').textContent"));
    yield {
      ok: kept.heapBytes - start < MAY_GROW_BYTES && rows > 100 && rows <= 400 && /^Live/.test(state),
      text: `minute ${minute}: ${describe(measured)}; ${keptText(kept)}, ${rows} rows; ${state}`,
    };
  }
  await page.close();
  const after = await measure(rig, url, ROUND_MS);
  yield { ok: true, text: `without a page again: ${describe(after)}` };
  const without = meanOf([before, after]);
  const withPage = meanOf(open);
  const cost = cpuOf(withPage) - cpuOf(without);
  const apart = Math.abs(cpuOf(before) - cpuOf(after));
  yield {
    ok: true,
    text: [
      `without the page: ${describe(without)} (the two minutes are ${apart.toFixed(1)} % apart)`,
      `with it, ${n} minutes: ${describe(withPage)}`,
      `the page costs the appliance ${cost.toFixed(1)} % of a core (wanted: less than 2 %; no surer than the two minutes without it are apart)`,
      ...['start', 'middle', 'end'].map((name, third) => {
        const kept = held[Math.round((third * (held.length - 1)) / 2)];
        return `the browser at the ${name}: ${kept === undefined ? 'unknown' : keptText(kept)}`;
      }),
    ].join('\n'),
  };
}

/** Of one core, in percent. */
interface Measured {
  readonly daemon: number;
  readonly redis: number;
  readonly perSecond: number;
}

const cpuOf = ({ daemon, redis }: Measured) => daemon + redis;
const describe = ({ daemon, perSecond, redis }: Measured) =>
  `${perSecond.toFixed(0)} events/s, daemon ${daemon.toFixed(1)} % and Redis ${redis.toFixed(1)} % of a core`;

function meanOf(all: readonly Measured[]): Measured {
  const mean = (part: keyof Measured) => all.reduce((sum, each) => sum + each[part], 0) / all.length;
  return { daemon: mean('daemon'), redis: mean('redis'), perSecond: mean('perSecond') };
}

async function measure(rig: Rig, url: string, forMs: number): Promise<Measured> {
  const look = async () => ({
    daemon: cpuSeconds(rig.daemon.child.pid),
    redis: cpuSeconds(rig.redis.pid),
    number: await lastNumber(url),
    atMs: performance.now(),
  });
  const before = await look();
  await delay(forMs);
  const after = await look();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const share = (part: 'daemon' | 'redis') => ((after[part] - before[part]) / seconds) * 100;
  return {
    daemon: share('daemon'),
    redis: share('redis'),
    perSecond: (after.number - before.number) / seconds,
  };
}

/** User and system time, proc(5): fields 14 and 15; the name in parentheses may hold spaces. */
function cpuSeconds(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

async function lastNumber(url: string): Promise<number> {
  const state = (await (await fetch(`${url}/api/v1/state`)).json()) as {
    readonly lastEventId: string | null;
  };
  return Number(state.lastEventId?.split('-')[1] ?? 0);
}

interface Kept {
  readonly heapBytes: number;
  readonly nodes: number;
  /** Of the process that shows the page, its share of what it has in common with others included. */
  readonly processMB: number;
}

const keptText = ({ heapBytes, nodes, processMB }: Kept) =>
  `heap ${(heapBytes / 1e6).toFixed(2)} MB, ${nodes} nodes, its process ${processMB.toFixed(0)} MB`;

/** Of the live heap, after a collection: without it the figure is the collector's mood. */
async function memory(browser: Browser, page: Page): Promise<Kept> {
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  const { JSHeapUsedSize: heapBytes = 0, Nodes: nodes = 0 } = await page.metrics();
  const whole = await browser.target().createCDPSession();
  const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
  await whole.detach();
  // One may be kept ready for the next page; the one that shows this is the largest.
  const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => readPssMB(id));
  return { heapBytes, nodes, processMB: Math.max(...renderers) };
}

function startFlaps({ bus }: Rig): { stop(): Promise<void> } {
  const plugged = new Set<string>();
  let isEnding = false;
  const everyMs = 1_000 / CHANGES_PER_SECOND;
  const run = async () => {
    let due = performance.now();
    for (let change = 0; !isEnding; change++) {
      const port = ports[change % ports.length] ?? '1-1';
      if (plugged.delete(port)) bus.unplug(port);
      else {
        plugged.add(port);
        bus.plug({
          port,
          vendorId: 0x0c2e,
          productId: 0x0b61,
          product: `Scanner ${change}`,
          serial: `S${change}`,
        });
      }
      // What a busy machine has missed is not made up for: the rate is never more than was said.
      due = Math.max(due + everyMs, performance.now() - 100);
      const wait = due - performance.now();
      if (wait > 1) await delay(wait);
    }
  };
  const running = run();
  return {
    stop() {
      isEnding = true;
      return running;
    },
  };
}
