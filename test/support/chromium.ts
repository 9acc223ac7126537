// A headless Chromium of the host, driven over the DevTools protocol. Nothing is downloaded: where there is none, the test says so.
import { existsSync } from 'node:fs';
import puppeteer, { type Browser } from 'puppeteer-core';
import type { Cleanup } from './with-cleanup.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const chromiumPath = (): string | null =>
  process.env.CHROMIUM ?? places.find((place) => existsSync(place)) ?? null;

/** For `test(…, { skip })`: false, or why it cannot run. */
export const withoutChromium = (): string | false =>
  chromiumPath() === null ? 'needs Chromium: apt-get install chromium' : false;

export async function startChromium(t: Cleanup): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error('no Chromium on this machine: apt-get install chromium');
  const browser = await puppeteer.launch({
    executablePath,
    headless: true,
    // The host may run this as root, and /dev/shm may be small.
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--no-first-run',
      '--disable-component-update',
      '--disable-background-networking',
    ],
    protocolTimeout: 120_000,
    timeout: 120_000,
  });
  t.after(() => browser.close());
  return browser;
}
