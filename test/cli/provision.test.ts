import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { runCli } from '../../src/cli/run-cli.ts';
import { readDaemonConfig } from '../../src/supervisor/read-daemon-config.ts';
import { tempDir } from '../support/temp-dir.ts';

const settings = {
  appliance: { tenant: 'acme', site: 'north', name: 'till-3' },
  uplink: { url: 'mqtts://broker.example:8883', username: 'u', password: 'hush' },
};

async function makeBox(t: TestContext) {
  const dir = await tempDir(t);
  const [from, to] = [path.join(dir, 'autoweave.json'), path.join(dir, 'state')];
  mkdirSync(to);
  return {
    from,
    to,
    fill: (content: unknown) => writeFileSync(from, JSON.stringify(content)),
    async provision(...more: string[]) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const argv = ['provision', '--from', from, '--to', to, ...more];
      const code = await runCli({ argv, environment: {}, stdout, stderr });
      stdout.end();
      stderr.end();
      return { code, out: await text(stdout), err: await text(stderr) };
    },
    async config() {
      const args = ['--config', path.join(to, 'autoweave.json'), '--secrets', path.join(to, 'secrets.json')];
      const verdict = await readDaemonConfig(args, {});
      assert.ok(verdict.ok, JSON.stringify(verdict));
      return verdict;
    },
  };
}

test('a provisioning file is imported, loses its secrets, and the daemon reads all of it [I5]', async (t) => {
  const box = await makeBox(t);
  box.fill(settings);
  const { code, out, err } = await box.provision();
  assert.equal(code, 0, err);
  assert.doesNotMatch(out + err, /hush/);
  assert.doesNotMatch(readFileSync(box.from, 'utf8'), /hush/);
  assert.deepEqual(readdirSync(box.to).sort(), [
    'autoweave.json',
    'identity.csr',
    'identity.key',
    'secrets.json',
  ]);
  assert.equal(statSync(path.join(box.to, 'secrets.json')).mode & 0o777, 0o600);
  assert.doesNotMatch(readFileSync(path.join(box.to, 'autoweave.json'), 'utf8'), /hush/);
  const { config, warning } = await box.config();
  assert.equal(warning, null);
  assert.equal(config.uplink.password, 'hush');
  assert.equal(config.appliance.name, 'till-3');
});

test('importing at every boot writes nothing, and what changes in the file keeps the sealed password [I5]', async (t) => {
  const box = await makeBox(t);
  box.fill(settings);
  await box.provision();
  const inodes = () => readdirSync(box.to).map((name) => statSync(path.join(box.to, name)).ino);
  const before = inodes();
  assert.doesNotMatch((await box.provision()).out, /wrote/);
  assert.deepEqual(inodes(), before);
  const bare = JSON.parse(readFileSync(box.from, 'utf8')) as typeof settings;
  box.fill({ ...bare, appliance: { ...bare.appliance, site: 'south' } });
  assert.equal((await box.provision()).code, 0);
  const { config } = await box.config();
  assert.deepEqual([config.appliance.site, config.uplink.password], ['south', 'hush']);
});

test('a broker that somebody wrote into the file does not get the sealed password [I5, Q3]', async (t) => {
  const box = await makeBox(t);
  box.fill(settings);
  await box.provision();
  box.fill({ ...settings, uplink: { url: 'mqtts://elsewhere.example:8883', username: 'u' } });
  const { code, err } = await box.provision();
  assert.equal(code, 0);
  assert.match(err, /^uplink\.password was sealed for another broker/);
  assert.doesNotMatch(readFileSync(path.join(box.to, 'secrets.json'), 'utf8'), /hush/);
  assert.equal((await box.config()).config.uplink.password, undefined);
});

test('a wrong file changes nothing and is refused with its field; what was in force stays [I5]', async (t) => {
  const box = await makeBox(t);
  box.fill(settings);
  await box.provision();
  const wrong = { ...settings, uplink: { ...settings.uplink, windw: 3 } };
  box.fill(wrong);
  const { code, err } = await box.provision();
  assert.equal(code, 1);
  assert.match(err, /^config\.unknown-key: uplink\.windw in .*Did you mean uplink\.window\?/);
  assert.doesNotMatch(err, /hush/);
  assert.equal(readFileSync(box.from, 'utf8'), JSON.stringify(wrong));
  assert.equal((await box.config()).config.uplink.password, 'hush');
});

test('secrets that cannot be stored are not removed from the file [I5]', async (t) => {
  for (const name of ['secrets.json', 'autoweave.json']) {
    const box = await makeBox(t);
    box.fill(settings);
    // A folder in the place of the file stops root as well.
    mkdirSync(path.join(box.to, name));
    const { code, err } = await box.provision();
    assert.equal(code, 1);
    assert.match(err, new RegExp(`^operate\\.unreadable: .*${name}`, 'm'));
    assert.equal(readFileSync(box.from, 'utf8'), JSON.stringify(settings));
  }
});

test('a cut between any two steps of an import is made good by the next one [I5]', async (t) => {
  const whole = await makeBox(t);
  whole.fill(settings);
  await whole.provision();
  const names = readdirSync(whole.to);
  for (let have = 0; have <= names.length; have += 1) {
    const box = await makeBox(t);
    box.fill(settings);
    for (const name of names.slice(0, have)) {
      writeFileSync(path.join(box.to, name), readFileSync(path.join(whole.to, name)));
    }
    assert.equal((await box.provision()).code, 0);
    assert.equal((await box.config()).config.uplink.password, 'hush');
    assert.doesNotMatch(readFileSync(box.from, 'utf8'), /hush/);
  }
});

test('without sealed secrets, or with damaged ones, the daemon starts and says so [I5]', async (t) => {
  const box = await makeBox(t);
  box.fill({ appliance: settings.appliance });
  await box.provision();
  const file = path.join(box.to, 'secrets.json');
  writeFileSync(file, '{"uplink":{"password":"hu');
  const { warning } = await box.config();
  assert.match(warning ?? '', /^going on without the sealed secrets: .*secrets\.json is not JSON/);
  assert.doesNotMatch(warning ?? '', /hu$/);
  const missing = await readDaemonConfig(['--secrets', path.join(box.to, 'none.json')], {});
  assert.ok(missing.ok);
  assert.equal(missing.warning, null);
});
