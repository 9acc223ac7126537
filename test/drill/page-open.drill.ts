// The page open in Chromium while 200 events a second come: a round is a minute. What the browser keeps, and what an open page costs
// the appliance beside the same minute without one.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'puppeteer-core';
import { startChromium } from '../support/chromium.ts';
import { until } from '../support/until.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import type { Drill } from './drill.ts';
import { type Rig, startRig } from './rig.ts';

const ROUND_MS = 60_000;
/** A plug is two events (added, ready), an unplug is one. */
const CHANGES_PER_SECOND = 133;
const CLOCK_TICKS_PER_SECOND = 100;
/** What the heap may grow over the first minute's end: the sizes of collected heaps differ by so much. */
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
  const alone = await measure(rig, url, ROUND_MS);
  yield { ok: true, text: `without a page: ${describe(alone)}` };

  const page = await (await startChromium(t)).newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${url}/#/events`);
  await page.waitForSelector('.events li');
  let first = 0;
  for (let minute = 1; minute <= n; minute++) {
    const open = await measure(rig, url, ROUND_MS);
    const { heapBytes, nodes } = await memory(page);
    if (minute === 1) first = heapBytes;
    const rows = Number(await page.evaluate("document.querySelectorAll('.events li').length"));
    const state = String(await page.evaluate("document.querySelector('.head p').textContent"));
    yield {
      ok: heapBytes - first < MAY_GROW_BYTES && rows > 100 && rows <= 400 && /^Live/.test(state),
      text: `minute ${minute}: ${describe(open)}, the page costs ${(open.cpuPercent - alone.cpuPercent).toFixed(1)} %; heap ${(heapBytes / 1e6).toFixed(2)} MB, ${nodes} nodes, ${rows} rows; ${state}`,
    };
  }
  await page.close();
  yield { ok: true, text: `without a page again: ${describe(await measure(rig, url, ROUND_MS))}` };
}

interface Measured {
  readonly cpuPercent: number;
  readonly perSecond: number;
}

const describe = ({ cpuPercent, perSecond }: Measured) =>
  `${perSecond.toFixed(0)} events/s, daemon ${cpuPercent.toFixed(1)} % of a core`;

async function measure(rig: Rig, url: string, forMs: number): Promise<Measured> {
  const before = { cpu: cpuSeconds(rig), number: await lastNumber(url), at: performance.now() };
  await delay(forMs);
  const seconds = (performance.now() - before.at) / 1_000;
  return {
    cpuPercent: ((cpuSeconds(rig) - before.cpu) / seconds) * 100,
    perSecond: ((await lastNumber(url)) - before.number) / seconds,
  };
}

/** User and system time, proc(5): fields 14 and 15; the name in parentheses may hold spaces. */
function cpuSeconds({ daemon }: Rig): number {
  const fields = readFileSync(`/proc/${daemon.child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

async function lastNumber(url: string): Promise<number> {
  const state = (await (await fetch(`${url}/api/v1/state`)).json()) as {
    readonly lastEventId: string | null;
  };
  return Number(state.lastEventId?.split('-')[1] ?? 0);
}

/** Of the live heap, after a collection: without it the figure is the collector's mood. */
async function memory(page: Page): Promise<{ readonly heapBytes: number; readonly nodes: number }> {
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  const { JSHeapUsedSize: heapBytes = 0, Nodes: nodes = 0 } = await page.metrics();
  return { heapBytes, nodes };
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
