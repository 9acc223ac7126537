import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { runCli } from '../../src/cli/run-cli.ts';
import { tempDir } from '../support/temp-dir.ts';

async function run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([text(stdout), text(stderr)]);
  const code = await runCli({ argv, environment, stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await said;
  return { code, out, err };
}

test('help lists every command, the daemon included, and explains each [S6]', async () => {
  const { code, out } = await run(['help']);
  assert.equal(code, 0);
  for (const name of ['daemon', 'config', 'flash', 'install-to-disk', 'version', 'help']) {
    assert.match(out, new RegExp(`^ {2}${name} `, 'm'));
    const one = await run(['help', name]);
    assert.equal(one.code, 0);
    assert.ok(one.out.startsWith(`Usage: autoweave ${name}`));
  }
  assert.equal((await run(['config', '--help'])).out, (await run(['help', 'config'])).out);
});

test('a command line that is wrong ends with 2, says what was meant and prints nothing as a result [S6]', async () => {
  for (const [argv, message] of [
    [[], /Usage: autoweave COMMAND/],
    [['confg'], /Did you mean `autoweave config`\?/],
    [['daemno'], /Did you mean `autoweave daemon`\?/],
    [['xyzzy'], /`autoweave help` lists all/],
    [['help', 'versoin'], /Did you mean `autoweave version`\?/],
    [['config', 'chek'], /there is no "chek"\. Did you mean check\?/],
    [['config'], /Say check, show or schema/],
    [['config', 'check', 'me'], /"me" is one argument too many/],
    [['config', 'check', '--confg', 'x'], /'--confg'/],
    [['version', '--colour'], /Usage: autoweave version/],
    [['constructor'], /there is no command/],
    [['config', 'constructor'], /there is no "constructor"/],
  ] as const) {
    const { code, out, err } = await run(argv);
    assert.equal(code, 2, argv.join(' '));
    assert.match(err, message);
    assert.equal(out, '');
  }
});

test('version prints the version of package.json, as text and as JSON [S6]', async () => {
  assert.match((await run(['version'])).out, /^autoweave \d+\.\d+\.\d+ \(Node 24\./);
  assert.equal((await run(['--version'])).out, (await run(['version'])).out);
  const { version } = JSON.parse((await run(['version', '--json'])).out) as { version: string };
  assert.match(version, /^\d+\.\d+\.\d+/);
});

test('config check names all that is wrong in file and environment and ends with 1 [S6]', async (t) => {
  const file = path.join(await tempDir(t), 'edge.json');
  await writeFile(file, '{"usb":{"debounceMs":"slow"}}');
  const variables = { AUTOWEAVE_CONFIG: file, AUTOWEAVE_STATUS_PROT: '80' };
  const { code, out, err } = await run(['config', 'check'], variables);
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(err, /^config\.unknown-variable: .*Did you mean AUTOWEAVE_STATUS_PORT\?/m);
  assert.match(err, /^config\.wrong-type: usb\.debounceMs in .*edge\.json must be an integer/m);

  const asJson = await run(['config', 'check', '--json'], variables);
  const answer = JSON.parse(asJson.out) as { ok: boolean; problems: { path: string }[] };
  assert.equal(answer.ok, false);
  assert.deepEqual(answer.problems.map((problem) => problem.path).sort(), [
    'AUTOWEAVE_STATUS_PROT',
    'usb.debounceMs',
  ]);
});

test('config check without a file, with a good one and with a missing one [S6]', async (t) => {
  const dir = await tempDir(t);
  await writeFile(path.join(dir, 'edge.json'), '{"log":{"level":"debug"}}');
  assert.equal((await run(['config', 'check'])).code, 0);
  assert.equal((await run(['config', 'check', '--config', path.join(dir, 'edge.json')])).code, 0);
  const missing = await run(['config', 'check', '--json', '--config', path.join(dir, 'none.json')]);
  assert.equal(missing.code, 1);
  assert.match(missing.out, /"code":"config\.unreadable"/);
});

test('config show prints what is in force without its secrets, and its JSON can be loaded again [S6]', async (t) => {
  const file = path.join(await tempDir(t), 'edge.json');
  await writeFile(file, '{"uplink":{"url":"mqtts://u:hush@b:8883","username":"u","password":"hush"}}');
  const shown = await run(['config', 'show', '--config', file], { AUTOWEAVE_USB_DEBOUNCE_MS: '9' });
  assert.match(shown.out, /^usb\.debounceMs = 9$/m);
  assert.match(shown.out, /^uplink\.password = "\[redacted\]"$/m);
  const asJson = await run(['config', 'show', '--json', '--config', file]);
  assert.doesNotMatch(shown.out + asJson.out, /hush/);
  await writeFile(file, asJson.out);
  assert.equal((await run(['config', 'check', '--config', file])).code, 0);
});

test('config schema prints a JSON Schema [S6]', async () => {
  const { code, out } = await run(['config', 'schema']);
  assert.equal(code, 0);
  const schema = JSON.parse(out) as { $schema: string; properties: object };
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.ok('uplink' in schema.properties);
});

test('a reader that closes the pipe early is no failure [S6]', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stdout.destroy();
  assert.equal(await runCli({ argv: ['config', 'schema'], environment: {}, stdout, stderr }), 0);
});
