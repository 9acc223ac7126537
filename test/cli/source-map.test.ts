// Where an author's code fails, in the words of his own source: what `plugin build` leaves beside the bundle, and who reads it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { parseSourceMap, toSourcePlaces } from '../../src/cli/plugin/source-map.ts';
import { startControl } from '../../src/status/start-control.ts';
import { startFixture } from '../status/status-fixture.ts';
import { willingControl } from '../status/willing-control.ts';
import { newPlugin } from './new-plugin.ts';
import { run } from './run.ts';

const source = `import { definePlugin } from './plugin-api.ts';
import { weigh } from './scale.ts';

export default definePlugin({
  onEvent() {
    weigh({ grams: 3 });
  },
});
`;
const scale = `interface Load {
  readonly grams: number;
}

/** Comments and types are no part of what is built. */
export function weigh(load: Load): never {
  throw new Error(\`\${load.grams} g is too light\`);
}
`;

/** A plugin that throws, and the trace that its built code really gives. */
async function failing(t: TestContext) {
  const plugin = await newPlugin(t, 'probe');
  const { bundle, build, dir, project } = plugin;
  writeFileSync(path.join(project, 'src/plugin.ts'), source);
  writeFileSync(path.join(project, 'src/scale.ts'), scale);
  const built = await build();
  assert.equal(built.code, 0, built.err);
  execFileSync('tar', ['xzf', bundle, '-C', dir, 'plugin.mjs']);
  const call = `import('${dir}/plugin.mjs').then(({ default: plugin }) => plugin.onEvent()).catch((e) => console.log(e.stack))`;
  const trace = spawnSync(process.execPath, ['-e', call], { encoding: 'utf8' }).stdout;
  return { ...plugin, built, trace };
}

test('the map of a build turns a trace of the built code into files and lines of the source [P12]', async (t) => {
  const { bundle, built, trace } = await failing(t);
  assert.match(trace, /at weigh \(file:\/\/\/.*\/plugin\.mjs:\d+:\d+\)/);
  const toSource = toSourcePlaces(parseSourceMap(readFileSync(`${bundle}.map`, 'utf8'), 'map'), 'probe');
  const read = toSource(trace);
  assert.match(read, /at weigh \(probe\/src\/scale\.ts:7:9\)\n/);
  assert.match(read, /at Object\.onEvent \(probe\/src\/plugin\.ts:6:5\)\n/);
  assert.match(
    toSource(trace.replaceAll(/file:.*plugin\.mjs/g, 'file:///plugin/plugin.mjs')),
    /scale\.ts:7:9/,
  );
  // What no source has, and what is no place in the built code, stays as it is.
  for (const text of [
    // Read in one go: with one segment more, a pattern that tries every division takes ten times as long.
    `at file:///home/u${'/d'.repeat(2_000)}/node_modules/x/index.mjs:3:4`,
    '/'.repeat(4_000),
    'at /plugin/plugin.mjs:9999:1',
    'at other.mjs:7:3',
    'plugin.mjs',
    'file:///plugin/plugin.mjs:0:0',
  ])
    assert.equal(toSource(text), text);
  assert.ok(built.err.includes(`${bundle}.map stays with you`), built.err);
});

test('the map is no part of what is signed, and the same source gives the same one anywhere [P1, P12]', async (t) => {
  const [one, other] = [await failing(t), await failing(t)];
  assert.deepEqual(readFileSync(`${one.bundle}.map`), readFileSync(`${other.bundle}.map`));
  const members = execFileSync('tar', ['tzf', one.bundle], { encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(members, ['manifest.json', 'plugin.mjs', 'sbom.spdx.json']);
  const code = readFileSync(path.join(one.dir, 'plugin.mjs'), 'utf8');
  assert.doesNotMatch(code, /sourceMappingURL/);
});

test('plugin logs --map says the lines of the source, and which build the map belongs to [P12, S6]', async (t) => {
  const { bundle, dir, edit, build, trace } = await failing(t);
  const inSandbox = trace.replaceAll(/file:.*plugin\.mjs/g, 'file:///plugin/plugin.mjs');
  const plugins = willingControl.plugins();
  assert.ok(plugins !== null);
  const { server } = await startFixture(t, {
    control: {
      ...willingControl,
      plugins: () => ({
        ...plugins,
        logs: () => [{ time: 't', level: 'warn', from: 'appliance', text: inSandbox }],
        list: async () => (await plugins.list()).map((plugin) => ({ ...plugin, version: '0.1.0' })),
      }),
    },
  });
  const socket = path.join(dir, 'control.sock');
  const local = await startControl({ socket, api: server.handleLocal });
  t.after(() => local.stop());
  const logs = (...more: string[]) => run('plugin', 'logs', 'probe', '--socket', socket, ...more);
  assert.match((await logs()).out, /\/plugin\/plugin\.mjs:\d+/);
  const read = await logs('--map', `${bundle}.map`);
  assert.deepEqual([read.code, read.err], [0, '']);
  assert.match(read.out, /at weigh \(src\/scale\.ts:7:9\)/);
  assert.match((await logs('--map', `${bundle}.map`, '--json')).out, /src\/scale\.ts:7:9/);

  edit((manifest) => Object.assign(manifest, { version: '0.2.0' }));
  assert.equal((await build()).code, 0);
  const newer = await logs('--map', path.join(dir, 'probe-0.2.0.awp.map'));
  assert.match(newer.err, /^warning: the map is that of probe 0\.2\.0; installed is probe 0\.1\.0/);
  for (const wrong of [bundle, path.join(dir, 'none'), path.join(dir, 'probe/plugin.json')]) {
    const { code, err } = await logs('--map', wrong);
    assert.deepEqual([code, err.split(':')[0]], [1, 'cli.unreadable'], err);
  }
});
