// What an operator asks of the appliance: devices, set-up, settings, log, diagnostics, reboot.
import { Type } from 'typebox';
import type { ActVerdict, ApplianceControl, LogLine, SetUp } from '../../contracts/appliance-control.ts';
import { UsbDevice, UsbPort } from '../../contracts/usb-device.ts';
import { jsonAnswer, problem, taggedAnswer } from '../answer.ts';
import { actProblem } from './act-answer.ts';
import { type ApiAnswer, type Operation, withBody } from './operation.ts';
import { type Stamp, stamped } from './stamp.ts';

const closed = { additionalProperties: false } as const;
const Detail = Type.Object({ detail: Type.String() }, closed);
const Segment = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });
const Level = Type.Union([
  Type.Literal('debug'),
  Type.Literal('info'),
  Type.Literal('warn'),
  Type.Literal('error'),
]);
const SetUpRequest = Type.Object(
  {
    tenant: Segment,
    site: Segment,
    name: Segment,
    broker: Type.Object(
      {
        url: Type.String({ pattern: '^(mqtts?|wss?)://', maxLength: 512 }),
        user: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
        password: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
      },
      closed,
    ),
    network: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    timeServers: Type.Optional(Type.Array(Type.String({ maxLength: 260 }), { maxItems: 8 })),
    replace: Type.Optional(Type.Boolean({ description: 'Also where the appliance is set up already.' })),
  },
  closed,
);

export function machineOperations(options: {
  readonly control: ApplianceControl;
  readonly devices: () => readonly UsbDevice[];
  readonly stamp: () => Stamp;
  readonly applianceName: string;
}): readonly Operation[] {
  const { control, devices, stamp } = options;
  const judgements = (['allow', 'block'] as const).map((target) =>
    withBody({
      method: 'POST',
      path: `/api/v1/devices/{port}/${target}`,
      summary: `A rule before all others that says ${target} for the device at this port`,
      role: 'operator',
      params: { port: UsbPort },
      body: Type.Object(
        {
          reason: Type.Optional(Type.String({ maxLength: 200 })),
          address: Type.Optional(
            Type.Integer({
              minimum: 1,
              description:
                'Of the device that was looked at, as GET devices gives it: another one that is at the port by now is not judged.',
            }),
          ),
        },
        closed,
      ),
      answers: {
        200: Type.Object({ device: Type.Union([UsbDevice, Type.Null()]), detail: Type.String() }, closed),
      },
      async run({ body, caller, params: { port = '' } }) {
        const reason = `${caller.who}${body.reason === undefined ? '' : `: ${body.reason}`}`;
        const verdict = await control.judgeDevice({ port, target, reason, address: body.address });
        if (!verdict.ok) return actProblem(verdict);
        const device = devices().find((each) => each.port === port) ?? null;
        return { ...jsonAnswer(200, { device, detail: verdict.detail }), audit: { detail: verdict.detail } };
      },
    }),
  );
  return [
    ...judgements,
    {
      method: 'GET',
      path: '/api/v1/logs',
      summary: 'The newest lines of the log, oldest first',
      role: 'operator',
      query: Type.Object(
        {
          level: Type.Optional(Level),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$', description: 'At most 500.' })),
        },
        closed,
      ),
      answers: {
        200: stamped({
          lines: Type.Array(
            Type.Object(
              { time: Type.String(), level: Level, part: Type.String(), text: Type.String() },
              closed,
            ),
          ),
        }),
      },
      run({ query }) {
        const level = (query.level ?? 'info') as LogLine['level'];
        const limit = Math.min(500, Number(query.limit ?? '200'));
        return taggedAnswer({ ...stamp(), lines: control.logs({ level, limit }) });
      },
    },
    {
      method: 'GET',
      path: '/api/v1/settings',
      summary: 'The configuration in force; what is secret is null, and listed',
      role: 'operator',
      answers: {
        200: stamped({
          config: Type.Record(Type.String(), Type.Unknown()),
          hidden: Type.Array(Type.String()),
        }),
      },
      run: () => taggedAnswer({ ...stamp(), ...control.settings() }),
    },
    withBody({
      method: 'POST',
      path: '/api/v1/setup',
      summary: 'Name the appliance and its broker; it starts again with them',
      role: 'admin',
      body: SetUpRequest,
      answers: { 202: Detail },
      run: async ({ body }) => accepted(await control.setUp(body as SetUp)),
    }),
    withBody({
      method: 'POST',
      path: '/api/v1/identify',
      summary: 'Let the LED say which box this is',
      role: 'operator',
      body: Type.Object({ seconds: Type.Integer({ minimum: 0, maximum: 300 }) }, closed),
      answers: { 202: Detail },
      run: ({ body }) => accepted(control.identify(body.seconds)),
    }),
    {
      method: 'GET',
      path: '/api/v1/diagnostics',
      summary: 'Everything that helps to find a fault, without secrets, as gzip of JSON',
      role: 'operator',
      answers: { 200: 'application/gzip' },
      async run() {
        const name = `autoweave-${options.applianceName.replace(/[^A-Za-z0-9._-]/g, '-')}-diagnostics.json.gz`;
        return {
          status: 200,
          contentType: 'application/gzip',
          body: await control.diagnostics(),
          headers: { 'Content-Disposition': `attachment; filename="${name}"` },
        };
      },
    },
    {
      method: 'POST',
      path: '/api/v1/reboot',
      summary: 'Start the computer again',
      role: 'admin',
      answers: { 202: Detail },
      run: async () => accepted(await control.askMachine('reboot')),
    },
    withBody({
      method: 'POST',
      path: '/api/v1/factory-reset',
      summary: 'Forget everything: events, settings, users, plugins. The computer starts again',
      role: 'admin',
      body: Type.Object(
        { confirm: Type.String({ maxLength: 64, description: 'The name of the appliance.' }) },
        closed,
      ),
      answers: { 202: Detail },
      async run({ body }) {
        if (body.confirm === options.applianceName)
          return accepted(await control.askMachine('factory-reset'));
        return problem(409, {
          code: 'status.not-confirmed',
          message: 'what was sent as `confirm` is not the name of this appliance',
          remedy: 'Send its name: everything that it stores will be gone.',
        });
      },
    }),
  ];
}

function accepted(verdict: ActVerdict): ApiAnswer {
  if (!verdict.ok) return actProblem(verdict);
  return { ...jsonAnswer(202, { detail: verdict.detail }), audit: { detail: verdict.detail } };
}
