import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { makePage } from '../../src/status/make-page.ts';
import { pageAssets } from '../../src/status/page-assets.ts';

const facts = {
  appliance: { tenant: 'acme', site: 'plant', name: 'edge-1' },
  version: '1.2.3',
  simulated: false,
};

test('the page allows exactly its own style and script and asks nobody else for anything [S3]', () => {
  const { body, headers } = makePage(pageAssets(), facts);
  const policy = headers?.['Content-Security-Policy'] ?? '';
  for (const [tag, directive] of [
    ['style', 'style-src'],
    ['script', 'script-src'],
  ] as const) {
    const [, inline = ''] = new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`).exec(body) ?? [];
    assert.ok(inline.length > 500);
    const hash = createHash('sha256').update(inline).digest('base64');
    assert.ok(policy.includes(`${directive} 'sha256-${hash}'`), directive);
  }
  assert.match(policy, /^default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.doesNotMatch(body, /(?:src|href)="(?:https?:)?\/\//);
  assert.doesNotMatch(body, /\{\{\w+\}\}/);
  assert.doesNotMatch(body.replace(/<script[\s\S]*<\/script>/, ''), / style="| on\w+="/);
  // Markup from text: the browser refuses it whatever the script tries.
  assert.match(policy, /require-trusted-types-for 'script'; trusted-types 'none'$/);
});

test('the page says which appliance it is, and without any script that it is simulated [S7]', () => {
  const bodyOf = (simulated: boolean) =>
    makePage(pageAssets(), { ...facts, simulated }).body.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '');
  const real = bodyOf(false);
  assert.match(real, /<h1>edge-1<\/h1>/);
  assert.match(real, /acme \/ plant · AutoWeave Edge 1\.2\.3/);
  assert.doesNotMatch(real, /SIMULATED/);
  assert.match(bodyOf(true), /<strong>SIMULATED<\/strong>/);
});

test('nothing stands between the document and its first paint [S1]', () => {
  const { body } = makePage(pageAssets(), facts);
  assert.doesNotMatch(body, /<link[^>]+stylesheet|@import|<script(?![^>]*type="module")/);
  // Text that is painted before any script runs, and the script after all of it.
  assert.ok(body.indexOf('<h1>') < body.indexOf('<script'));
});

test('the page is less than 150 KB compressed, its script and style in it [S1]', () => {
  const { body } = makePage(pageAssets(), facts);
  const bytes = brotliCompressSync(body).length;
  assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`);
});

test('every word of the page stands in strings.ts: no view carries text of its own [S1]', () => {
  const views = globSync('src/status/page/**/*.tsx');
  assert.ok(views.length > 15);
  for (const file of views) {
    const code = readFileSync(file, 'utf8');
    // What stands between two tags, or in an attribute that is read out or shown.
    const found = [
      ...code.matchAll(/<\/?[a-z][^<>]*[^=]>\s*([A-Z][a-z]+[^<>{}();=]*)<\//g),
      ...code.matchAll(/\b(?:aria-label|title|placeholder|label|about)="([^"]+)"/g),
    ].map(([, text]) => text);
    assert.deepEqual(found, [], file);
  }
});

test('names are text on the page, whatever is in them [Q3]', () => {
  const name = '<script>alert(1)</script>{{script}}"';
  const { body } = makePage(pageAssets(), { ...facts, appliance: { tenant: 'a', site: 'b', name } });
  assert.ok(!body.includes('<script>alert'));
  assert.ok(body.includes('<h1>&#60;script&#62;alert(1)&#60;/script&#62;{{script}}&#34;</h1>'));
});
