// Every view in every state, on a phone and on a wall screen, light and dark, under axe-core in Chromium.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import type { Page } from 'puppeteer-core';
import { startSceneServer } from '../status/page/scene-server.ts';
import { type SceneName, sceneNames } from '../status/page/scenes.ts';
import { startChromium, withoutChromium } from '../support/chromium.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const views = [
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
  'setup',
  'login',
  'more',
];
const looks = [
  { width: 360, height: 740, theme: 'dark' },
  { width: 1_920, height: 1_080, theme: 'light' },
  { width: 1_920, height: 1_080, theme: 'dark' },
  { width: 360, height: 740, theme: 'light' },
] as const;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

async function violations(page: Page): Promise<readonly string[]> {
  const { violations: found } = (await page.evaluate(
    'axe.run(document, { resultTypes: ["violations"] })',
  )) as {
    readonly violations: readonly Violation[];
  };
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
  );
}

const openAll = `
  for (const button of document.querySelectorAll('main button[aria-expanded="false"]')) button.click();
  for (const details of document.querySelectorAll('main details')) details.open = true;
  new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`;

/** Views that differ between states; the rest is looked at in one. */
const inEvery = new Set(['overview', 'devices', 'events', 'plugins', 'delivery', 'setup']);

for (const scene of sceneNames) {
  test(`axe finds nothing, and nothing is wider than the screen: ${scene} [S1]`, {
    skip: withoutChromium(),
    timeout: 480_000,
  }, async (t) => {
    const wrong = await lookAt(t, scene);
    assert.deepEqual(wrong, []);
  });
}

async function lookAt(t: test.TestContext, scene: SceneName): Promise<readonly string[]> {
  const server = await startSceneServer(t, scene);
  const page = await (await startChromium(t)).newPage();
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`${message.text()} ${message.location().url ?? ''}`);
  });
  await page.goto(server.url);
  await page.evaluate(axe);
  let count = 0;
  for (const { width, height, theme } of looks) {
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    for (const view of views) {
      if (scene !== 'busy' && !inEvery.has(view)) continue;
      await page.evaluate(`location.hash = '#/${view}'`);
      await page.waitForFunction(
        "document.querySelector('main[data-view] h1') !== null && document.querySelector('.waiting') === null",
      );
      for (const each of await violations(page)) wrong.push(`${view} ${width} ${theme}: ${each}`);
      const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      if (isWide === true) wrong.push(`${view} ${width} ${theme}: wider than the screen`);
      count += 1;
      if (scene !== 'busy') continue;
      await page.evaluate(openAll);
      for (const each of await violations(page)) wrong.push(`${view} ${width} ${theme}, opened: ${each}`);
    }
  }
  t.diagnostic(`${count} views`);
  return wrong;
}

test('what is shown turns to unknown and says its age when the appliance falls silent, and back [S7]', {
  skip: withoutChromium(),
  timeout: 240_000,
}, async (t) => {
  const server = await startSceneServer(t, 'busy');
  const page = await (await startChromium(t)).newPage();
  await page.goto(server.url);
  await page.waitForSelector('.hero.ok');
  server.setAnswering(false);
  await page.waitForSelector('.hero.unknown', { timeout: 120_000 });
  assert.match(
    String(await page.evaluate("document.querySelector('.stale-note').textContent")),
    /^No answer .* is \d+ s old\.$/,
  );
  assert.equal(await page.evaluate("document.querySelectorAll('.parts .mark:not(.unknown)').length"), 0);
  await page.evaluate(axe);
  assert.deepEqual(await violations(page), []);
  server.setAnswering(true);
  await page.waitForSelector('.hero.ok', { timeout: 120_000 });
});
