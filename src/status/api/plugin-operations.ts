// Plugins: what they are, what they said, and what can be done with them.
import { Type } from 'typebox';
import { type PluginAct, type PluginControl, PluginStatus } from '../../contracts/plugin-status.ts';
import { jsonAnswer, taggedAnswer } from '../answer.ts';
import { actProblem } from './act-answer.ts';
import { type ApiAnswer, type Operation, withBody } from './operation.ts';
import { type Stamp, stamped } from './stamp.ts';

const closed = { additionalProperties: false } as const;
const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' });
const Acted = Type.Object({ plugin: Type.Union([PluginStatus, Type.Null()]), detail: Type.String() }, closed);
const LogLines = Type.Array(
  Type.Object(
    { time: Type.String(), level: Type.String(), from: Type.String(), text: Type.String() },
    closed,
  ),
);
/** Of a bundle of 8 MiB in base64, and a little more; its own limit is checked where it is verified. */
const BUNDLE_MAX = 12 * 1024 * 1024;

const verbs = {
  enable: 'Start it now and at every start; also after it was blocked',
  disable: 'Stop it, and do not start it again',
  restart: 'Stop it and start it',
  rollback: 'Go back to the version before',
} as const;

export function pluginOperations(options: {
  readonly plugins: () => PluginControl | null;
  readonly stamp: () => Stamp;
}): readonly Operation[] {
  const { stamp } = options;
  const withPlugins = async (run: (control: PluginControl) => ApiAnswer | Promise<ApiAnswer>) => {
    const control = options.plugins();
    if (control !== null) return run(control);
    const reason = 'this run of the appliance has no plugins; its log says why';
    return actProblem({ ok: false, code: 'plugins.unavailable', reason });
  };
  const one = { params: { name: Name } } as const;
  const acts: Operation[] = (['enable', 'disable', 'restart', 'rollback'] as const).map((verb) => ({
    method: 'POST',
    path: `/api/v1/plugins/{name}/${verb}`,
    summary: verbs[verb],
    role: 'operator',
    ...one,
    answers: { 200: Acted },
    run: ({ params: { name = '' } }) => withPlugins(async (control) => acted(await control[verb](name))),
  }));
  return [
    {
      method: 'GET',
      path: '/api/v1/plugins',
      summary: 'The installed plugins: state, limits and what they use',
      role: 'viewer',
      answers: { 200: stamped({ plugins: Type.Array(PluginStatus) }) },
      run: () =>
        withPlugins(async (control) => jsonAnswer(200, { ...stamp(), plugins: await control.list() })),
    },
    {
      method: 'GET',
      path: '/api/v1/plugins/{name}',
      summary: 'One plugin',
      role: 'viewer',
      ...one,
      answers: { 200: stamped({ plugin: PluginStatus }) },
      run: ({ params: { name = '' } }) =>
        withPlugins(async (control) => {
          const plugin = (await control.list()).find((each) => each.name === name);
          return plugin === undefined ? notInstalled(name) : jsonAnswer(200, { ...stamp(), plugin });
        }),
    },
    {
      method: 'GET',
      path: '/api/v1/plugins/{name}/logs',
      summary: 'Its newest lines',
      role: 'operator',
      ...one,
      answers: { 200: stamped({ lines: LogLines }) },
      run: ({ params: { name = '' } }) =>
        withPlugins((control) => {
          const lines = control.logs(name);
          return lines === null ? notInstalled(name) : taggedAnswer({ ...stamp(), lines });
        }),
    },
    ...acts,
    withBody({
      method: 'POST',
      path: '/api/v1/plugins',
      summary: 'Verify, store and start a bundle; an older version is replaced and kept',
      role: 'admin',
      body: Type.Object(
        {
          bundle: Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', description: 'base64 of the .awp' }),
          signature: Type.String({ maxLength: 4_096, description: 'The text of the .minisig' }),
        },
        closed,
      ),
      bodyMaxBytes: BUNDLE_MAX,
      answers: { 200: Acted },
      run: ({ body: { bundle, signature } }) =>
        withPlugins(async (control) =>
          acted(await control.install(Buffer.from(bundle, 'base64'), signature)),
        ),
    }),
    {
      method: 'DELETE',
      path: '/api/v1/plugins/{name}',
      summary: 'Stop it and delete it with all that it stored',
      role: 'admin',
      ...one,
      answers: { 200: Acted },
      run: ({ params: { name = '' } }) => withPlugins(async (control) => acted(await control.remove(name))),
    },
  ];
}

function acted(act: PluginAct): ApiAnswer {
  return act.ok
    ? { ...jsonAnswer(200, { plugin: act.plugin, detail: act.detail }), audit: { detail: act.detail } }
    : actProblem(act);
}

function notInstalled(name: string): ApiAnswer {
  return actProblem({
    ok: false,
    code: 'plugins.not-installed',
    reason: `no plugin named ${name} is installed`,
  });
}
