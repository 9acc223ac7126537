import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
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
  assert.doesNotMatch(body, /innerHTML| style="| on\w+="/);
});

test('the page says which appliance it is, and without any script that it is simulated [S7]', () => {
  const real = makePage(pageAssets(), facts).body;
  assert.match(real, /<h1>edge-1<\/h1>/);
  assert.match(real, /acme \/ plant · AutoWeave Edge 1\.2\.3/);
  assert.doesNotMatch(real, /SIMULATED/);
  assert.match(makePage(pageAssets(), { ...facts, simulated: true }).body, /<strong>SIMULATED<\/strong>/);
});

test('names are text on the page, whatever is in them [Q3]', () => {
  const name = '<script>alert(1)</script>{{script}}"';
  const { body } = makePage(pageAssets(), { ...facts, appliance: { tenant: 'a', site: 'b', name } });
  assert.ok(!body.includes('<script>alert'));
  assert.ok(body.includes('<h1>&#60;script&#62;alert(1)&#60;/script&#62;{{script}}&#34;</h1>'));
});
