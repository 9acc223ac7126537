// The page in Chromium for somebody with a keyboard and a screen reader: what is said to him, and where his focus is.
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Page } from 'puppeteer-core';
import { startSceneServer } from '../status/page/scene-server.ts';
import { scenes } from '../status/page/scenes.ts';
import { withoutChromium } from '../support/chromium.ts';
import { loggedOut, startPagePerson } from '../support/page-person.ts';

const browser = { skip: withoutChromium(), timeout: 480_000 };

async function openPage(t: TestContext) {
  const server = await startSceneServer(t, 'busy');
  return { server, ...(await startPagePerson(t, server.url)) };
}

/** What changes within live regions until the text at `ticking` has changed three times. */
async function saidWhile(page: Page, ticking: string): Promise<readonly string[]> {
  await page.waitForSelector(ticking);
  await page.evaluate(`{
    const said = [], ticks = new Set();
    const live = '[role="status"], [role="alert"], [aria-live]';
    const look = () => ticks.add(document.querySelector('${ticking}')?.textContent);
    look();
    const observer = new MutationObserver((records) => {
      for (const { target } of records) {
        const region = (target.nodeType === 1 ? target : target.parentElement)?.closest(live);
        if (region) said.push(region.textContent);
      }
      look();
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    globalThis.heard = { said, ticks, observer };
  }`);
  await page.waitForFunction('globalThis.heard.ticks.size > 3');
  return (await page.evaluate('globalThis.heard.observer.disconnect(), globalThis.heard.said')) as string[];
}

test(
  'what a screen reader says by itself has no age in it that grows each second [S1]',
  browser,
  async (t) => {
    const { server, page, go, fill } = await openPage(t);
    const since = new Date(Date.now() - 20_000).toISOString();
    const led = { state: 'good', reason: 'The bus is watched.', since };
    server.answer('state', () => ({ body: { ...scenes.busy.state, led } }));
    await page.reload();
    assert.deepEqual(await saidWhile(page, '.hero .since'), []);
    const hero = await page.evaluate(`document.querySelector('.hero [role="status"]').innerText`);
    assert.equal(hero, 'All is well\n\nThe bus is watched.');

    const { user: _, ...nobody } = scenes.busy.session as { readonly user: object };
    server.answer('session', ({ method }) =>
      method === 'POST'
        ? { status: 429, body: { detail: 'too many wrong attempts', retryAfterSeconds: 90 } }
        : { body: { ...nobody, user: null } },
    );
    await page.reload();
    await page.waitForSelector(loggedOut);
    await go('login');
    await fill({ name: 'gerda', password: 'a guess' });
    assert.deepEqual(await saidWhile(page, 'main p.warning:last-of-type'), []);

    server.setAnswering(false);
    assert.deepEqual(await saidWhile(page, '.stale-note'), []);
  },
);

const focused = (selector: string) => `document.activeElement?.matches('${selector}')`;
const opener = 'button[data-opener]';

test('who closes a question, or a form, is back at the button that opened it [S1]', browser, async (t) => {
  const { server, page, go, press, fill } = await openPage(t);
  server.answer('users/mehmet', () => ({ body: { detail: 'done' } }));
  await go('users');
  const row =
    "[...document.querySelectorAll('.people li')].find((each) => each.textContent.includes('mehmet'))";
  await page.waitForFunction(row);
  const mark = `${row}.querySelector('.danger').dataset.opener = ''`;
  await page.evaluate(mark);

  await page.focus(opener);
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  await press('Cancel');
  await page.waitForFunction("document.querySelector('dialog') === null");
  assert.equal(await page.evaluate(focused(opener)), true, 'after "Cancel"');

  const change = 'button[aria-label="Change mehmet"]';
  await page.focus(change);
  await page.keyboard.press('Enter');
  await fill({ password: 'five words are quite enough', currentPassword: 'x' }, '.people form');
  await page.waitForFunction("document.querySelector('.people form') === null");
  assert.equal(await page.evaluate(focused(change)), true, 'after the change');

  const { users } = scenes.busy.users as { readonly users: readonly { readonly name: string }[] };
  server.answer('users', () => ({ body: { users: users.filter(({ name }) => name !== 'mehmet') } }));
  await page.focus(opener);
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  await page.locator('dialog button[type="submit"]').click();
  await page.waitForFunction(`document.querySelector('${change}') === null`);
  assert.equal(await page.evaluate(focused('#main')), true, 'its button went with the user');
});

test(
  'the code of the second factor can be typed at once where it is asked for [S1] [S8]',
  browser,
  async (t) => {
    const server = await startSceneServer(t, 'nobody');
    const { page, go, fill } = await startPagePerson(t, server.url);
    const { session } = scenes.nobody;
    assert.ok(session !== undefined);
    server.answer('session', ({ method }) =>
      method === 'POST'
        ? { status: 401, body: { code: 'status.totp-needed', detail: 'the code is needed' } }
        : { body: session },
    );
    await go('login');
    await fill({ name: 'gerda', password: 'five words' });
    await page.waitForSelector('input[name="totp"]');
    assert.equal(await page.evaluate(focused('input[name="totp"]')), true);
    await page.keyboard.type('123');
    await page.waitForFunction("document.querySelector('input[name=\"totp\"]').value === '123'");
  },
);
