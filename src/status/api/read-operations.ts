// What can be read: page, health, state, devices, events, figures.
import { Type } from 'typebox';
import { EventIdText, parseEventId } from '../../contracts/event.ts';
import { HealthReport } from '../../contracts/health.ts';
import { OrNull } from '../../contracts/or-null.ts';
import { jsonAnswer, lastingAnswer } from '../answer.ts';
import { consoleText } from '../console-text.ts';
import { localAddresses } from '../local-addresses.ts';
import { makePage } from '../make-page.ts';
import { pageAssets } from '../page-assets.ts';
import type { StatusOptions } from '../status-options.ts';
import { DevicesAnswer } from './devices-answer.ts';
import { readHistory } from './event-history.ts';
import type { Operation } from './operation.ts';
import { type Stamp, stamped } from './stamp.ts';

const closed = { additionalProperties: false } as const;
const CountOrNull = OrNull(Type.Integer({ minimum: 0 }));

const State = stamped({
  version: Type.String(),
  ready: Type.Boolean(),
  health: HealthReport,
  uplink: Type.Object({ connected: Type.Boolean(), since: Type.String(), detail: Type.String() }, closed),
  buffer: Type.Object(
    {
      waiting: Type.Integer({ minimum: 0 }),
      queued: Type.Integer({ minimum: 0 }),
      oldestAgeSeconds: OrNull(Type.Number({ minimum: 0 })),
      bytes: CountOrNull,
      archiveBytes: CountOrNull,
      archivedEvents: CountOrNull,
    },
    closed,
  ),
  led: Type.Object({ state: Type.String(), reason: Type.String(), since: Type.String() }, closed),
  plugins: Type.Object(
    { running: Type.Integer({ minimum: 0 }), total: Type.Integer({ minimum: 0 }) },
    closed,
  ),
  uptimeSeconds: Type.Number({ minimum: 0 }),
  provisioned: Type.Boolean(),
});

export function readOperations(
  options: StatusOptions,
  stamp: () => Stamp,
  devicesAnswer: () => Readonly<Record<string, unknown>>,
): readonly Operation[] {
  const { appliance, control, depth, health, isReady, lastId, metricsText, read, version } = options;
  const { simulated } = options;
  const page = lastingAnswer(makePage(pageAssets(), { appliance, version, simulated }));
  const readiness = () => {
    const ready = isReady();
    return ready === false ? 'it has not finished its start' : ready;
  };

  return [
    {
      method: 'GET',
      path: '/',
      summary: 'The status page',
      role: 'public',
      answers: { 200: 'text/html' },
      run: () => page,
    },
    {
      method: 'GET',
      path: '/health',
      summary: 'How every part is; 503 when one is down',
      role: 'public',
      answers: { 200: HealthReport, 503: HealthReport },
      run() {
        const report = health();
        return jsonAnswer(report.state === 'down' ? 503 : 200, report);
      },
    },
    {
      method: 'GET',
      path: '/ready',
      summary: 'Whether the appliance does its work; 503 and why when it does not',
      role: 'public',
      answers: {
        200: Type.Object({ ready: Type.Literal(true) }, closed),
        503: Type.Object({ ready: Type.Literal(false), reason: Type.String() }, closed),
      },
      run() {
        const ready = readiness();
        if (ready === true) return jsonAnswer(200, { ready });
        return jsonAnswer(503, { ready: false, reason: ready }, { 'Retry-After': '5' });
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      summary: 'Prometheus metrics',
      role: 'viewer',
      answers: { 200: 'text/plain' },
      async run() {
        const { contentType, text } = await metricsText();
        return { status: 200, contentType, body: text };
      },
    },
    {
      method: 'GET',
      path: '/api/v1/state',
      summary: 'Health, buffer, uplink, LED and version in one document',
      role: 'public',
      answers: { 200: State },
      async run() {
        const { depth: waiting, queued } = depth();
        const { buffer, ...facts } = control.facts();
        const plugins = (await control.plugins()?.list()) ?? [];
        const running = plugins.filter(({ state }) => state === 'running').length;
        return jsonAnswer(200, {
          ...stamp(),
          version,
          ready: isReady() === true,
          health: health(),
          ...facts,
          buffer: { waiting, queued, ...buffer },
          plugins: { running, total: plugins.length },
        });
      },
    },
    {
      method: 'GET',
      path: '/api/v1/console',
      summary: 'What the screen of the appliance shows, as text with a QR code; without the claim code',
      role: 'public',
      answers: { 200: 'text/plain' },
      run() {
        const { listen, port } = options.config;
        const body = consoleText({
          ...{ appliance, version, simulated, listen, port },
          isTls: options.config.tls,
          health: health(),
          addresses: localAddresses(),
          ready: readiness(),
        });
        return { status: 200, contentType: 'text/plain; charset=utf-8', body };
      },
    },
    {
      method: 'GET',
      path: '/api/v1/devices',
      summary: 'The devices on the bus, their verdicts, and what that knowledge rests on',
      role: 'viewer',
      answers: { 200: DevicesAnswer },
      run: () => jsonAnswer(200, devicesAnswer()),
    },
    {
      method: 'GET',
      path: '/api/v1/events',
      summary:
        'Live events (SSE): Last-Event-ID or ?lastEventId= resumes, ?last=N begins with the newest N, ?unnamed leaves the names out, ?devices adds the answer of /api/v1/devices at once and after every change, named stream.devices',
      role: 'viewer',
      isBackground: true,
      answers: { 200: 'text/event-stream' },
      run: () => 'stream',
    },
    {
      method: 'GET',
      path: '/api/v1/events/history',
      summary: 'Stored events before an id, newest first',
      role: 'viewer',
      query: Type.Object(
        {
          before: Type.Optional(EventIdText),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$', description: 'At most 200.' })),
          type: Type.Optional(
            Type.String({ pattern: '^[a-z0-9.-]{1,128}$', description: 'What the type begins with.' }),
          ),
        },
        closed,
      ),
      answers: {
        200: stamped({
          events: Type.Array(Type.Record(Type.String(), Type.Unknown())),
          next: OrNull(Type.String()),
        }),
      },
      async run({ query }) {
        const page = await readHistory(read, {
          last: lastId(),
          before: query.before === undefined ? null : parseEventId(query.before),
          limit: Math.min(200, Number(query.limit ?? '50')),
          type: query.type ?? '',
        });
        const events = page.events.map((json) => JSON.parse(json) as unknown);
        return jsonAnswer(200, { ...stamp(), events, next: page.next });
      },
    },
  ];
}
