// What the page in Chromium makes of answers that come late, in another order, or not at all.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Page } from 'puppeteer-core';
import { type SceneReply, startSceneServer } from '../status/page/scene-server.ts';
import { scenes } from '../status/page/scenes.ts';
import { startChromium, withoutChromium } from '../support/chromium.ts';
import { startPagePerson } from '../support/page-person.ts';

const browser = { skip: withoutChromium(), timeout: 240_000 };

async function openPage(t: TestContext, scene: 'busy' | 'empty') {
  const server = await startSceneServer(t, scene);
  return { server, ...(await startPagePerson(t, server.url)) };
}

/** From number `first` to `last`. */
const events = (first: number, last: number, type = 'usb.device.added') =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    ...{ id: `1-${first + index}`, type, subject: 'usb/1-1', time: '2026-11-21T07:00:00.000Z', data: {} },
  }));
/** What was done, the newest first. */
const deeds = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => ({
    ...{ n: last - index, at: '2026-11-21T07:00:00.000Z', who: 'gerda', role: 'admin', from: '::1' },
    ...{ act: 'identify', outcome: 'done', detail: `deed ${last - index}` },
  }));
/** The page has taken over what came before this, and has drawn it. */
const settled = (page: Page) =>
  page.evaluate(`fetch('/api/v1/state').then((answer) => answer.text())
    .then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))))`);
const query = (url = '') => new URL(url, 'http://box').searchParams;
/** Ids in the list, `missing` where it says that some are not there. */
const shownIds = `[...document.querySelectorAll('.events > li')].map((row) => row.querySelector('.id')?.textContent ?? 'missing')`;
const older = '.acts.center button:last-child';

test(
  'a hole between live and older events is told, and filled by asking for older ones again [S1]',
  browser,
  async (t) => {
    const { server, page, go, errors } = await openPage(t, 'empty');
    server.answer('events/history', ({ url }) => {
      const before = Number(query(url).get('before')?.replace('1-', ''));
      const from = Math.max(1, before - 100);
      return {
        body: { events: events(from, before - 1).toReversed(), next: from === 1 ? null : `1-${from}` },
      };
    });
    await go('events');
    const rows = async () => (await page.evaluate(shownIds)) as readonly string[];
    const shows = (count: number, first: string) =>
      page.waitForFunction(`((ids) => ids.length === ${count} && ids[0] === '${first}')(${shownIds})`);
    await page.waitForFunction("document.querySelector('.head .quiet')?.textContent.startsWith('Live')");
    server.send(events(1_001, 1_060));
    await shows(60, '1-1060');
    await page.locator(older).click();
    await shows(160, '1-1060');
    assert.equal((await rows()).at(-1), '1-901');

    server.send(events(1_061, 1_500));
    await shows(501, '1-1500');
    assert.deepEqual((await rows()).slice(399, 402), ['1-1101', 'missing', '1-1000']);
    await page.locator(older).click();
    await shows(500, '1-1500');
    const numbers = (await rows()).map((id) => Number(id.replace('1-', '')));
    assert.deepEqual(
      numbers,
      Array.from({ length: 500 }, (_, index) => 1_500 - index),
    );
    assert.deepEqual(errors, []);
  },
);

test('older events of a kind that is chosen no more are not shown [S1]', browser, async (t) => {
  const { server, page, go, press } = await openPage(t, 'empty');
  const late = Promise.withResolvers<SceneReply>();
  server.answer('events/history', ({ url }) => {
    const type = query(url).get('type');
    if (type === 'usb.') return late.promise;
    return { body: { events: events(1, 5, 'plugin.running').toReversed(), next: null } };
  });
  await go('events');
  await page.waitForFunction("document.querySelector('.head .quiet')?.textContent.startsWith('Live')");
  server.send([...events(11, 12), ...events(13, 14, 'plugin.running')]);
  await page.waitForFunction(`${shownIds}.length === 4`);
  await press('USB');
  const asked = page.waitForRequest((request) => request.url().includes('type=usb.'));
  await page.locator(older).click();
  await asked;
  await press('Plugins');
  await page.locator(older).click();
  await page.waitForFunction(`${shownIds}.length === 7`);
  const answered = page.waitForResponse((response) => response.url().includes('type=usb.'));
  late.resolve({ body: { events: events(1, 10).toReversed(), next: '1-1' } });
  await (await answered).text();
  await settled(page);
  const expected = [14, 13, 5, 4, 3, 2, 1].map((number) => `1-${number}`);
  assert.deepEqual(await page.evaluate(shownIds), expected);
  assert.equal(await page.$(older), null, 'nothing older is stored of this kind');
});

test(
  'a late answer to the level that was chosen before does not take the place of the right one [S1]',
  browser,
  async (t) => {
    const { server, page, go, press } = await openPage(t, 'busy');
    const late = Promise.withResolvers<null>();
    server.answer('logs', async ({ url }) => {
      const level = query(url).get('level') ?? '';
      if (level === 'info') await late.promise;
      return {
        body: { lines: [{ time: '2026-11-21T07:00:00.000Z', level, part: 'usb', text: `of ${level}` }] },
      };
    });
    const asked = page.waitForRequest((request) => request.url().includes('level=info'));
    await go('logs');
    await asked;
    // What is read again by itself would put right what this looks for.
    await press('Pause');
    await press('Errors');
    const first = "document.querySelector('.log li span')?.textContent";
    await page.waitForFunction(`${first} === 'of error'`);
    const answered = page.waitForResponse((response) => response.url().includes('level=info'));
    late.resolve(null);
    await (await answered).text();
    await settled(page);
    assert.equal(await page.evaluate(first), 'of error');
  },
);

test(
  'two quick taps on "older" turn one page of the audit, and a page that cannot be read says so [S1] [S8]',
  browser,
  async (t) => {
    const { server, page, go, press, see } = await openPage(t, 'busy');
    const second = Promise.withResolvers<null>();
    server.answer('audit', async ({ url }) => {
      const before = Number(query(url).get('before') ?? 401);
      if (before === 301) await second.promise;
      if (before === 201) return { status: 503, body: { detail: 'the audit cannot be read now' } };
      return { body: { entries: deeds(before - 100, before - 1), next: before - 100 } };
    });
    await go('audit');
    const top = "document.querySelector('.audit .deed span')?.textContent";
    await page.waitForFunction(`${top} === 'deed 400'`);
    await page.locator(older).click();
    await page.waitForFunction(`document.querySelectorAll('.acts.center button').length === 2`);
    await page.evaluate(`document.querySelector('${older}').click()`);
    second.resolve(null);
    await page.waitForFunction(`${top} === 'deed 300'`);
    await press('Show older');
    await see('the audit cannot be read now');
    assert.equal(await page.$('.audit'), null, 'no other page stands there as if it were this one');
    await press('Show newer');
    await page.waitForFunction(`${top} === 'deed 300'`);
    await press('Show newer');
    await page.waitForFunction(`${top} === 'deed 400'`);
  },
);

test(
  'a browser that lets sites keep nothing shows the page, and its appearance can be changed [S1]',
  browser,
  async (t) => {
    const server = await startSceneServer(t, 'busy');
    const page = await (await startChromium(t, { blocksSiteData: true })).newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(server.url);
    await page.waitForSelector('.hero.ok', { timeout: 60_000 });
    assert.equal(
      await page.evaluate("(() => { try { return localStorage.length; } catch { return 'blocked'; } })()"),
      'blocked',
    );
    await page.locator('.rail button.theme').click();
    await page.waitForSelector('html[data-theme="light"]');
    assert.deepEqual(errors, []);
  },
);

test(
  'an open page on a network that comes and goes keeps no session alive; who moves about does [S1] [S8]',
  browser,
  async (t) => {
    const server = await startSceneServer(t, 'busy');
    const { session: gerda, state } = scenes.busy;
    assert.ok(gerda !== undefined && state !== undefined);
    const asked: ('somebody' | 'page')[] = [];
    let isAway = false;
    server.answer('session', ({ headers }) => {
      asked.push(headers['x-background'] === undefined ? 'somebody' : 'page');
      return { body: gerda };
    });
    server.answer('state', () => (isAway ? { status: 503, body: {} } : { body: state }));
    const { page, go } = await startPagePerson(t, server.url);
    await page.waitForSelector('.who-row');
    await settled(page);
    assert.ok(asked.includes('somebody'), 'the page was opened');
    asked.length = 0;
    const answered = (status: number) =>
      page.waitForResponse((response) => response.url().endsWith('/state') && response.status() === status);
    const failed = answered(503);
    isAway = true;
    await failed;
    const recovered = page.waitForResponse((response) => response.url().endsWith('/session'));
    isAway = false;
    await recovered;
    assert.deepEqual(asked, ['page']);
    const moved = page.waitForResponse((response) => response.url().endsWith('/session'));
    await go('devices');
    await moved;
    assert.deepEqual(asked, ['page', 'somebody']);
  },
);
