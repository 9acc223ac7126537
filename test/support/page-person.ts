// What a person does with the status page, in Chromium: go somewhere, press, fill in, see. And what somebody can try who has copied his
// session.
import assert from 'node:assert/strict';
import type { Page } from 'puppeteer-core';
import { startChromium } from './chromium.ts';
import type { Cleanup } from './with-cleanup.ts';

const SLOW_MS = 120_000;

/** The link to the view where one logs in; to a person who is logged in the same place shows the account. */
export const loggedOut = 'a.who[href="#/login"]';

export interface CopiedSession {
  readonly cookie: string;
  readonly csrf: string;
}

export interface PagePerson {
  readonly page: Page;
  /** Scripts that failed, and what the policy of the page has forbidden. */
  readonly errors: readonly string[];
  go(view: string): Promise<void>;
  press(button: string): Promise<void>;
  /** Resolves as soon as the text is somewhere on the page. */
  see(...texts: readonly string[]): Promise<void>;
  /** The fields of the form, by name, and its button. */
  fill(fields: Readonly<Record<string, string>>, form?: string): Promise<void>;
  claim(code: string): Promise<void>;
  logIn(password?: string): Promise<void>;
  logOut(): Promise<void>;
  changePassword(to: string): Promise<void>;
  /** The device whose row shows this text; resolves when the page shows the verdict. */
  block(device: string, reason: string): Promise<void>;
  copySession(): Promise<CopiedSession>;
}

export const person = { name: 'gerda', password: 'five words are quite enough' } as const;

export async function startPagePerson(t: Cleanup, url: string): Promise<PagePerson> {
  const page = await (await startChromium(t)).newPage();
  page.setDefaultTimeout(SLOW_MS);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    // What the policy of the page forbids is said there.
    if (/Content Security Policy|TrustedHTML/.test(message.text())) errors.push(message.text());
  });
  await page.goto(url);

  const go = async (view: string) => void (await page.evaluate(`location.hash = '#/${view}'`));
  const press = (button: string) => page.locator(`::-p-aria([name="${button}"][role="button"])`).click();
  const fill = async (fields: Readonly<Record<string, string>>, form = 'main form') => {
    for (const [name, text] of Object.entries(fields))
      await page.locator(`${form} input[name="${name}"]`).fill(text);
    await page.locator(`${form} button[type="submit"]`).click();
  };
  return {
    ...{ page, errors, go, press, fill },
    async see(...texts) {
      const isThere = `${JSON.stringify(texts)}.some((text) => document.body.innerText.includes(text))`;
      await page.waitForFunction(isThere, { polling: 'mutation' });
    },
    async claim(code) {
      await go('setup');
      await fill({ code, ...person, repeat: person.password });
      await page.waitForSelector('.who-row');
    },
    async logIn(password = person.password) {
      await go('login');
      await fill({ name: person.name, password });
      await page.waitForSelector('.who-row');
    },
    async logOut() {
      await press('Log out');
      await page.waitForSelector(loggedOut);
    },
    async changePassword(to) {
      await go('account');
      await fill({ current: person.password, password: to, repeat: to }, '.card[aria-label="Password"] form');
      await page.waitForFunction(`document.body.innerText.includes('The password is changed.')`);
    },
    async block(device, reason) {
      await page.locator(`::-p-text(${device})`).click();
      await press('Block');
      await page.locator('dialog input').fill(reason);
      await page.locator('dialog button[type="submit"]').click();
      await page.waitForSelector('.detail .pill.bad');
    },
    async copySession() {
      const cookies = await page.browserContext().cookies();
      const answer = await page.evaluate("fetch('/api/v1/session').then((answer) => answer.json())");
      const { csrf } = answer as { readonly csrf: unknown };
      assert.ok(typeof csrf === 'string' && cookies.length > 0, 'nobody is logged in');
      return { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '), csrf };
    },
  };
}

/** What the appliance answers to somebody who lets the device at this port in, with the session that he sends. */
export async function tryToAllow(url: string, port: string, sent: Partial<CopiedSession>): Promise<number> {
  const answer = await fetch(`${url}/api/v1/devices/${port}/allow`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(sent.cookie === undefined ? {} : { Cookie: sent.cookie }),
      ...(sent.csrf === undefined ? {} : { 'X-CSRF-Token': sent.csrf }),
    },
    body: '{}',
  });
  await answer.body?.cancel();
  return answer.status;
}
