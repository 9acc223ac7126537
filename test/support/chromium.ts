// A headless Chromium of the host, driven over the DevTools protocol. Nothing is downloaded: where there is none, the test says so.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import type { Cleanup } from './with-cleanup.ts';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const chromiumPath = (): string | null =>
  process.env.CHROMIUM ?? places.find((place) => existsSync(place)) ?? null;

/** For `test(…, { skip })`: false, or why it cannot run. */
export const withoutChromium = (): string | false =>
  chromiumPath() === null ? 'needs Chromium: apt-get install chromium' : false;

/** @param options.blocksSiteData sites may keep nothing: no cookies, and `localStorage` throws */
export async function startChromium(
  t: Cleanup,
  options: { readonly blocksSiteData?: boolean } = {},
): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error('no Chromium on this machine: apt-get install chromium');
  const profile = options.blocksSiteData === true ? await profileWithoutSiteData() : null;
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
    ...(profile === null ? {} : { userDataDir: profile }),
    protocolTimeout: 120_000,
    timeout: 120_000,
  });
  t.after(async () => {
    await browser.close();
    // Only now: it writes into its profile until it has ended.
    if (profile !== null) await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  return browser;
}

async function profileWithoutSiteData(): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'autoweave-'));
  await mkdir(path.join(dir, 'Default'));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(path.join(dir, 'Default/Preferences'), JSON.stringify(preferences));
  return dir;
}
