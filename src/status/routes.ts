// What can be asked for: path -> answer, as data.
import { formatEventId } from '../contracts/event.ts';
import { sourceOf } from '../contracts/topics.ts';
import { type Answer, jsonAnswer } from './answer.ts';
import { consoleText } from './console-text.ts';
import { localAddresses } from './local-addresses.ts';
import { makePage } from './make-page.ts';
import { pageAssets } from './page-assets.ts';
import type { StatusOptions } from './status-options.ts';

export interface Route {
  readonly path: string;
  readonly summary: string;
  /** `'stream'`: the live events, which have no end and are served by event-streams.ts. */
  readonly answer: 'stream' | (() => Answer | Promise<Answer>);
}

export function makeRoutes(options: StatusOptions): readonly Route[] {
  const { appliance, clock, depth, devices, health, isReady, lastId, metricsText, simulated, version } =
    options;
  const page = makePage(pageAssets(), { appliance, version, simulated });
  const stamp = () => {
    const { wallMs, synced } = clock.now();
    const last = lastId();
    return {
      source: sourceOf(appliance),
      simulated,
      time: new Date(wallMs).toISOString(),
      clock: synced ? 'synced' : 'unsynced',
      lastEventId: last === null ? null : formatEventId(last),
    };
  };

  return [
    { path: '/', summary: 'The status page', answer: () => page },
    {
      path: '/health',
      summary: 'How every part is; 503 when one is down',
      answer() {
        const report = health();
        return jsonAnswer(report.state === 'down' ? 503 : 200, report);
      },
    },
    {
      path: '/ready',
      summary: 'Whether the appliance does its work; 503 and why when it does not',
      answer() {
        const ready = isReady();
        if (ready === true) return jsonAnswer(200, { ready });
        const reason = ready === false ? 'it has not finished its start' : ready;
        return jsonAnswer(503, { ready: false, reason }, { 'Retry-After': '5' });
      },
    },
    {
      path: '/metrics',
      summary: 'Prometheus metrics',
      async answer() {
        const { contentType, text } = await metricsText();
        return { status: 200, contentType, body: text };
      },
    },
    {
      path: '/api/v1/state',
      summary: 'Health, buffer and version in one document',
      answer() {
        const { depth: waiting, queued } = depth();
        return jsonAnswer(200, {
          ...stamp(),
          version,
          ready: isReady() === true,
          health: health(),
          buffer: { waiting, queued },
        });
      },
    },
    {
      path: '/api/v1/console',
      summary: 'What the screen of the appliance shows, as text with a QR code',
      answer() {
        const { listen, port } = options.config;
        const ready = isReady();
        const facts = {
          appliance,
          version,
          simulated,
          health: health(),
          listen,
          port,
          addresses: localAddresses(),
        };
        const body = consoleText({
          ...facts,
          ready: ready === false ? 'it has not finished its start' : ready,
        });
        return { status: 200, contentType: 'text/plain; charset=utf-8', body };
      },
    },
    {
      path: '/api/v1/devices',
      summary: 'The devices on the bus, and what that knowledge rests on',
      answer() {
        const parts = Object.entries(health().parts).filter(([part]) => /^usb\b/.test(part));
        return jsonAnswer(200, { ...stamp(), restsOn: Object.fromEntries(parts), devices: devices() });
      },
    },
    {
      path: '/api/v1/events',
      summary:
        'Live events (SSE): Last-Event-ID or ?lastEventId= resumes, ?last=N begins with the newest N, ?unnamed leaves the names out',
      answer: 'stream',
    },
  ];
}
