// `npm start -- --simulate` as a stranger uses it: what it prints is what works, and Ctrl-C leaves nothing behind.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { CloudEvent } from '../../src/contracts/event.ts';
import { schemaCheck } from '../../src/lib/schema-check.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

const checkEvent = schemaCheck(CloudEvent);

test('the printed mosquitto_sub line shows devices as they come, marked as simulated, and Ctrl-C ends everything [Q4]', async (t) => {
  const started = startSimulated(t, await tempDir(t));
  const line = await printed(started, /^start: the events: (mosquitto_sub .*)$/);
  const page = await printed(started, /^start: the page: +(http:\S+)$/);

  const health = (await (await fetch(`${page}health`)).json()) as { readonly simulated?: unknown };
  assert.equal(health.simulated, true);

  const commands = await printed(started, /^start: the commands: (export AUTOWEAVE_SOCKET=.*)$/);
  const [, status = ''] = commands.split('; ');
  const typed = spawnSync('sh', ['-c', `${commands} && ${status.replace(/status$/, 'devices')}`]);
  assert.equal(typed.status, 0, String(typed.stderr));
  assert.match(String(typed.stdout), /simulated/i);

  // Typed into a shell just as it was printed.
  const viewer = spawn('sh', ['-c', `exec ${line}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => viewer.kill('SIGKILL'));
  const seen = linesOf(viewer);
  const added = await until(
    'a device comes',
    () => seen.find((text) => /^\S+\/event\/usb\.device\.added /.test(text)),
    60_000,
  );
  const [topic = ''] = added.split(' ', 1);
  const event = checkEvent(JSON.parse(added.slice(topic.length + 1)));
  assert.ok(event.ok, JSON.stringify(event));
  assert.equal(event.value.simulated, true);
  assert.equal(
    topic,
    `autoweave/v1/default/workbench/${event.value.source.split(':').at(-1)}/event/usb.device.added`,
  );

  const family = descendantsOf(started.child.pid ?? 0);
  for (const name of ['redis-server', 'mosquitto', 'replay.ts', 'dist/autoweave.mjs']) {
    assert.ok(
      family.some(({ command }) => command.includes(name)),
      `${name} runs: ${JSON.stringify(family)}`,
    );
  }
  started.child.kill('SIGINT');
  assert.deepEqual(await once(started.child, 'exit'), [0, null]);
  assert.deepEqual(family.filter(isAlive), []);
  const stopped = started.lines.flatMap((text) => /^start: (\S+) has stopped/.exec(text)?.[1] ?? []);
  assert.deepEqual(stopped, ['autoweave', 'mosquitto', 'redis-server']);
});

test('when a server dies, npm start says which, stops the rest and fails [Q4]', async (t) => {
  const started = startSimulated(t, await tempDir(t));
  await printed(started, /^start: the events: (.*)$/);
  const family = descendantsOf(started.child.pid ?? 0);
  const broker = family.find(({ command }) => command.startsWith('mosquitto '));
  assert.ok(broker !== undefined, JSON.stringify(family));
  process.kill(broker.pid, 'SIGKILL');
  assert.deepEqual(await once(started.child, 'exit'), [1, null]);
  assert.ok(
    started.lines.some((text) => text.startsWith('start: mosquitto ended by itself (SIGKILL)')),
    started.lines.join('\n'),
  );
  assert.deepEqual(family.filter(isAlive), []);
});

test('a second start in a row keeps the numbers of the events, and --fresh begins anew [B1]', async (t) => {
  const state = await tempDir(t);
  const lastNumberOf = async (...args: readonly string[]) => {
    const started = startSimulated(t, state, ...args);
    const line = await printed(started, /^start: the events: (mosquitto_sub .*)$/);
    // The retained state document names the last event.
    const viewer = spawn('sh', ['-c', `exec ${line.replace('autoweave/v1/#', 'autoweave/v1/+/+/+/state')}`]);
    t.after(() => viewer.kill('SIGKILL'));
    const seen = linesOf(viewer);
    const id = await until('a state document with an event id', () =>
      seen.flatMap((text) => /"lastEventId":"(\d+-\d+)"/.exec(text)?.[1] ?? []).at(-1),
    );
    started.child.kill('SIGTERM');
    assert.deepEqual(await once(started.child, 'exit'), [0, null]);
    const [generation = 0, number = 0] = id.split('-').map(Number);
    return { generation, number };
  };
  const first = await lastNumberOf();
  const second = await lastNumberOf();
  assert.equal(second.generation, first.generation);
  assert.ok(second.number > first.number, `${second.number} after ${first.number}`);
  const fresh = await lastNumberOf('--fresh');
  assert.ok(fresh.number < second.number, `${fresh.number} after ${second.number}`);
});

interface Started {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
}

function startSimulated(t: TestContext, state: string, ...args: readonly string[]): Started {
  const child = spawn(
    process.execPath,
    [
      'src/workbench/start.ts',
      '--simulate',
      ...['--captures', 'test/fixtures/captures'],
      ...['--state', state],
      // Should the test itself be killed, this is not left running.
      ...['--seconds', '150'],
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  return { child, lines: linesOf(child) };
}

function linesOf(child: ChildProcess): readonly string[] {
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (input !== null) createInterface({ input }).on('line', (line) => lines.push(line));
  }
  return lines;
}

async function printed({ child, lines }: Started, pattern: RegExp): Promise<string> {
  return until(
    `a line like ${pattern.source}`,
    () => {
      assert.equal(child.exitCode, null, `it ended early:\n${lines.join('\n')}`);
      return lines.flatMap((line) => pattern.exec(line)?.[1] ?? [])[0];
    },
    90_000,
  );
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Of /proc: every process below `pid`. */
function descendantsOf(pid: number): readonly Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
  const below = (parent: number): readonly Process[] =>
    all.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)]);
  return below(pid);
}

const isAlive = ({ pid, command }: Process) => readProcess(pid)?.command === command;

/** null: there is no such process, or only its zombie. */
function readProcess(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
    return state === 'Z' ? null : { pid, parent: Number(parent), command };
  } catch {
    // It ended between two reads.
    return null;
  }
}
