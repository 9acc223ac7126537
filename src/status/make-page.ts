// The page's parts + what never changes while the daemon runs -> one HTML document and the policy that allows just it.
import { createHash } from 'node:crypto';
import type { ApplianceName } from '../contracts/topics.ts';
import type { TextAnswer } from './answer.ts';

export interface PageFacts {
  readonly appliance: ApplianceName;
  readonly version: string;
  readonly simulated: boolean;
}

export function makePage(assets: Readonly<Record<string, string>>, facts: PageFacts): TextAnswer {
  const { 'index.html': html = '', 'page.css': style = '', 'page.mjs': script = '' } = assets;
  const { tenant, site, name } = facts.appliance;
  const values: Readonly<Record<string, string>> = {
    style,
    script,
    name: escapeHtml(name),
    place: escapeHtml(`${tenant} / ${site}`),
    version: escapeHtml(facts.version),
    simulated: String(facts.simulated),
    // Not hidden by a script: it must be there even when nothing else works.
    banner: facts.simulated
      ? '<p class="banner" role="note"><strong>SIMULATED</strong> These devices are replayed captures, not a real USB bus.</p>'
      : '',
  };
  return {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    // One pass: a value that contains a placeholder's text is not filled in again.
    body: html.replace(/\{\{(\w+)\}\}/g, (whole, key: string) => values[key] ?? whole),
    headers: {
      'Content-Security-Policy': [
        "default-src 'none'",
        `style-src '${hashOf(style)}'`,
        `script-src '${hashOf(script)}'`,
        "connect-src 'self'",
        'img-src data:',
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        // The views make elements, never markup from text: the browser is to refuse the latter outright.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join('; '),
    },
  };
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
