// Pictures of every view in every state: `node test/status/page/screenshots.ts FOLDER [VIEW…]`. For eyes; nothing is judged here.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'puppeteer-core';
import { startChromium } from '../../support/chromium.ts';
import { type Cleanup, withCleanup } from '../../support/with-cleanup.ts';
import { startSceneServer } from './scene-server.ts';
import { type SceneName, sceneNames } from './scenes.ts';

const [folder = 'out/page', ...wanted] = process.argv.slice(2);
const screens = { phone: { width: 360, height: 740 }, kiosk: { width: 1920, height: 1080 } } as const;
const shots: readonly (readonly [SceneName, string])[] = [
  ...(
    [
      'overview',
      'devices',
      'devices/1-1.4',
      'events',
      'plugins',
      'plugins/serial-scale',
      'delivery',
      'logs',
      'settings',
      'users',
      'audit',
      'account',
      'more',
    ] as const
  ).map((view) => ['busy', view] as const),
  ...sceneNames.filter((name) => name !== 'busy').map((name) => [name, 'overview'] as const),
  ...(['devices', 'events', 'plugins'] as const).map((view) => ['empty', view] as const),
  ['broken', 'plugins'],
  ['offline', 'delivery'],
  ['unclaimed', 'setup'],
  ['nobody', 'devices'],
  ['busy', 'setup'],
];

mkdirSync(folder, { recursive: true });
for await (const line of withCleanup(takeAll)) console.log(line);

async function* takeAll(t: Cleanup): AsyncIterable<string> {
  const server = await startSceneServer(t, 'busy');
  const browser = await startChromium(t);
  const page = await browser.newPage();
  page.on('console', (message) => console.log(`console: ${message.text()}`));
  page.on('pageerror', (error) => console.log(`error: ${String(error)}`));
  for (const [scene, view] of shots) {
    if (wanted.length > 0 && !wanted.includes(`${scene}/${view}`)) continue;
    server.show(scene);
    yield await take(page, `${server.url}#/${view}`, `${scene}-${view.replaceAll('/', '-')}`);
  }
  if (wanted.length > 0 && !wanted.includes('stale')) return;
  server.show('busy');
  for (const [screen, size] of Object.entries(screens)) {
    server.setAnswering(true);
    // A tab of its own: what the last one waits for in vain would use up the connections to this address.
    const page = await browser.newPage();
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await open(page, `${server.url}#/overview`, size);
    await page.waitForSelector('.parts .mark');
    server.setAnswering(false);
    await page.waitForSelector('.stale-note', { timeout: 120_000 });
    await page.screenshot({ path: fileFor(`stale-overview-${screen}-dark`) });
    await page.close();
  }
  server.setAnswering(true);
  yield 'stale';
}

async function take(page: Page, url: string, name: string): Promise<string> {
  let wide = false;
  for (const [screen, size] of Object.entries(screens)) {
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      await open(page, url, size);
      await page.screenshot({ path: fileFor(`${name}-${screen}-${theme}`) });
      wide ||= (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) === true;
    }
  }
  return `${name}${wide ? ': WIDER THAN THE SCREEN' : ''}`;
}

async function open(
  page: Page,
  url: string,
  size: { readonly width: number; readonly height: number },
): Promise<void> {
  await page.setViewport(size);
  // The fragment alone would not load the page anew.
  await page.goto('about:blank');
  await page.goto(url);
  await page.waitForFunction(
    "document.querySelector('main[data-view]') !== null && document.querySelector('.waiting') === null",
  );
  // The stream's first events are taken over a fifth of a second later.
  await page.evaluate('new Promise((done) => setTimeout(done, 450))');
}

function fileFor(name: string): `${string}.png` {
  return `${path.join(folder, name)}.png`;
}
