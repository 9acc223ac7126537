// What the operating system refuses while a plugin is started: a refusal with a reason, never a hung plugin and never the daemon's end.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { openTestShelf } from './open-test-shelf.ts';
import { openTestWorld, sessionMaker } from './plugin-world.ts';

const LIMIT = { timeout: 120_000 };

test(
  'a plugin whose code cannot be unpacked is told as such and tried again; acts on it and on others go on [P9]',
  LIMIT,
  async (t) => {
    const before = await openTestShelf(t);
    await before.install({ name: 'aa' });
    const { codeDir, logged, shelf } = await before.again();
    await rm(codeDir, { recursive: true });
    await writeFile(codeDir, 'no folder');
    await shelf.startAll();
    const [aa] = await shelf.list();
    assert.equal(aa?.state, 'blocked');
    assert.match(aa?.reason ?? '', /ENOTDIR/);
    assert.ok(
      logged.some(({ level, message }) => level === 'error' && message.includes('could not be started')),
    );
    const act = await shelf.restart('aa');
    assert.ok(act.ok);
    assert.equal(act.plugin?.state, 'blocked');
    // The cause goes, and so does the state, by itself.
    await rm(codeDir);
    await until('it runs', () => shelf.plugins[0]?.state === 'running', 60_000);
  },
);

test(
  'what cannot be unpacked leaves nothing half unpacked behind, and its installation is refused with the reason [P9]',
  LIMIT,
  async (t) => {
    const { codeDir, install, shelf } = await openTestShelf(t);
    await rm(codeDir, { recursive: true });
    await writeFile(codeDir, 'no folder');
    await assert.rejects(install({ name: 'aa' }), /^Error: plugins\.system: .*ENOTDIR/);
    assert.deepEqual(await shelf.list(), []);
  },
);

test(
  'a plugin that cannot be started again does not keep one with a revoked key running [P2]',
  LIMIT,
  async (t) => {
    const branch = await tempDir(t);
    const first = await openTestWorld(t);
    const boundary = { ...first.world.boundary, branch };
    const before = await openTestShelf(t, {}, first);
    await before.install({ name: 'aa' });
    await before.install({ name: 'bb' });
    const [aa, bb] = [await before.sha256Of('aa'), await before.sha256Of('bb')];
    const { revoke, shelf } = await before.again({ boundary });
    // Where its cgroup is to be there is something else.
    await writeFile(path.join(branch, 'aa'), '');
    revoke(aa);
    await shelf.startAll();
    const states = () => shelf.plugins.map(({ name, state }) => `${name} ${state}`);
    assert.deepEqual(states(), ['aa rejected', 'bb running']);
    revoke(bb);
    await shelf.recheck('another document');
    assert.deepEqual(states(), ['aa failed', 'bb rejected']);
  },
);

test('a plugin runs where the kernel gives no watch on its memory [P5]', LIMIT, async (t) => {
  const world = await openTestWorld(t);
  // A folder in which no file of a cgroup can be watched.
  const boundary = { ...world.world.boundary, branch: await tempDir(t) };
  const test = { ...world, world: { ...world.world, boundary } };
  const maker = await sessionMaker(test, { code: 'export default {};', subscriptions: [] });
  const { running, session } = await maker.open();
  await running;
  await session.stop();
});

test('with no descriptor left a plugin fails to start, and starts once there are some; no process is left behind [P9]', {
  ...LIMIT,
  skip: noPrlimit(),
}, async (t) => {
  const world = await openTestWorld(t);
  const maker = await sessionMaker(world, { code: 'export default {};', subscriptions: [] });
  const limit = (soft: string) =>
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`], { stdio: 'ignore' });
  const taken: number[] = [];
  limit('128');
  const fill = () => {
    for (;;)
      try {
        taken.push(openSync('/dev/null', 'r'));
      } catch {
        // There is none left, which is what was wanted.
        return;
      }
  };
  fill();
  // From none at all to so many that all but the last pipe can be had.
  for (let free = 0; free < 6; free++) {
    for (const fd of taken.splice(0, free)) closeSync(fd);
    await assert.rejects(maker.open(), /EMFILE|descriptors/);
    fill();
  }
  for (const fd of taken) closeSync(fd);
  limit('1024');
  const { running, session } = await maker.open();
  await running;
  await session.stop();
});

function noPrlimit(): string | false {
  const { error } = spawnSync('prlimit', ['--version'], { stdio: 'ignore' });
  return error === undefined ? false : `prlimit cannot be run: ${error.message}`;
}
