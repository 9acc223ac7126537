// What hostile plugins try on the booted appliance: with the layer that stops it left out, with all of them, and under the daemon
// beside a healthy plugin that misses no event. Prints the table of attacks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { CloudEvent } from '../../src/contracts/event.ts';
import type { RunnerResult } from '../plugins/attack-runner.ts';
import { type Attack, attackCode, attacks } from '../plugins/attacks.ts';
import { putFile } from '../plugins/guest-plugins.ts';
import { LIMIT_MS, type PluginAppliance, startPluginAppliance } from '../plugins/plugin-appliance.ts';
import { seer, signedPlugin } from '../plugins/test-plugins.ts';
import { whyNoGuest } from '../support/guest-image.ts';
import { until } from '../support/until.ts';
import type { Cleanup } from '../support/with-cleanup.ts';

const secret = '/var/lib/autoweave/planted-secret';
const port = 4_001;
/** From the decision to end a plugin until none of its processes is left. */
const CONTAINED_MS = 1_000;
const endings = new Set([
  'security.violation',
  'security.contained',
  'plugin.failed',
  'plugin.blocked',
  'plugin.running',
]);

suite('hostile plugins in a booted guest', { skip: whyNoGuest() }, () => {
  const undo: (() => unknown)[] = [];
  const cleanup: Cleanup = { after: (step) => void undo.push(step as () => unknown) };
  let appliance: PluginAppliance;

  before(async () => {
    appliance = await startPluginAppliance(cleanup);
    const { guest } = appliance;
    await putFile(guest, '/tmp/attack-runner.mjs', attackRunner());
    await guest.shell.must(`echo planted >${secret} && chown autoweave ${secret} && chmod 600 ${secret}`);
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  /** The runner as the runtime's user, in the runtime's cgroup, as the daemon would be. */
  const runAttack = async (attack: Attack, without: readonly string[]): Promise<RunnerResult> => {
    const { guest } = appliance;
    const code = attackCode(attack, { PORT: String(port), SECRET: secret });
    const seconds = attack.name === 'busy loop' ? 5 : 90;
    const job = JSON.stringify({ code, resources: attack.resources, without, port, seconds });
    await putFile(guest, '/tmp/job.json', Buffer.from(job));
    const answer = await guest.shell.must(
      `echo $$ >/sys/fs/cgroup/edge/main/cgroup.procs
       exec setpriv --reuid=101 --regid=101 --clear-groups node /tmp/attack-runner.mjs /tmp/job.json`,
      LIMIT_MS,
    );
    return JSON.parse(answer) as RunnerResult;
  };

  test('each attack gets through without the layer that stops it, and not with it [P6]', async (t) => {
    const wrong: string[] = [];
    t.diagnostic('| attack | left out | then it reached | with all layers | a limit struck after |');
    for (const attack of attacks) {
      const { flood, name, without } = attack;
      const bare = await runAttack(attack, without);
      if (!isThrough(attack, bare))
        wrong.push(`${name} did not get through without ${without.join()}: ${JSON.stringify(bare)}`);
      const row = `| ${name} | ${without.join(' and ')} | ${flood === undefined ? show(bare) : `${bare[flood.of]} ${flood.of}`} |`;
      if (attack.inDaemon) {
        t.diagnostic(`${row} below | |`);
        continue;
      }
      const held = await runAttack(attack, []);
      t.diagnostic(`${row} ${show(held)} | ${held.struckMs ?? '-'} ms (emulated, busy machine) |`);
      if (isThrough(attack, held)) wrong.push(`${name} got through: ${JSON.stringify(held)}`);
    }
    assert.deepEqual(wrong, []);
  });

  test('hostile plugins are contained by the daemon while a healthy one beside them misses no event [P6]', async (t) => {
    const { events, guest, ofType, plugOnce, plugins } = appliance;
    await plugins.install(await signedPlugin({ code: seer }));
    await plugins.inState('probe', 'running');
    const wrong: string[] = [];
    t.diagnostic('| attack | layer | what was told | told after | gone after the decision |');
    for (const [index, attack] of attacks.entries()) {
      const name = `attack-${index}`;
      const code = attackCode(attack, { PORT: String(port), SECRET: secret });
      const { resources } = attack;
      const parts = { code, name, permissions: { emit: ['begun'] }, subscriptions: [], resources };
      // A device comes and goes while the attack is on.
      await Promise.all([plugins.install(await signedPlugin(parts)), plugOnce()]);
      const mine = () => events().filter(({ subject }) => subject === `plugin/${name}`);
      const first = (matches: (event: CloudEvent) => boolean) =>
        until(name, () => mine().find(matches), LIMIT_MS).catch(() => undefined);
      const begun = await first(({ type }) => type === `plugin.${name}.begun`);
      const end = await first(({ type }) => endings.has(type));
      const logs = await plugins.logs(name);
      await plugins.ask('DELETE', `/api/v1/plugins/${name}`);
      const reached = logs.find(({ text }) => text.startsWith('REACHED'));
      if (reached !== undefined) wrong.push(`${attack.name}: ${reached.text}`);
      if (begun === undefined) wrong.push(`${attack.name}: it did not begin: ${JSON.stringify(end?.data)}`);
      if (end === undefined) wrong.push(`${attack.name}: nothing was told of it`);
      const contained = mine().find(({ type }) => type === 'security.contained');
      const goneMs = contained === undefined ? null : Number(contained.data.ms);
      if (goneMs !== null && goneMs >= CONTAINED_MS) wrong.push(`${attack.name}: gone after ${goneMs} ms`);
      const told =
        end?.type === 'plugin.running'
          ? 'refused, it came to nothing'
          : `${end?.type} ${String(end?.data.what ?? end?.data.code ?? end?.data.layer)}`;
      const toldMs = (end?.uptimems ?? Number.NaN) - (begun?.uptimems ?? Number.NaN);
      t.diagnostic(
        `| ${attack.name} | ${attack.layer} | ${told} | ${toldMs} ms (emulated, busy machine) | ${goneMs ?? '-'} ms |`,
      );
    }
    const { plugs } = appliance;
    await until('the healthy plugin saw all', () => ofType('plugin.probe.seen').length >= plugs, LIMIT_MS);
    assert.deepEqual(wrong, []);
    const probe = await plugins.status('probe');
    assert.deepEqual([probe.state, probe.starts, probe.parked], ['running', 1, 0]);
    assert.deepEqual(
      ofType('plugin.probe.seen').map(({ data }) => data.id),
      ofType('usb.device.added').map(({ id }) => id),
    );
    assert.equal(ofType('system.started').length, 1);
    assert.equal(await guest.shell.must('ls /sys/fs/cgroup/edge/plugins | grep attack || true'), '');
  });
});

function isThrough({ flood, name, resources }: Attack, result: RunnerResult): boolean {
  if (flood !== undefined) return result[flood.of] > flood.above;
  if (name === 'busy loop') return result.cpuPercent > resources.cpuMaxPercent * 1.3;
  return result.reached !== null;
}

function show({ cpuPercent, ended, oomKills, reached, refusedPids }: RunnerResult): string {
  return (
    reached ?? `${ended ?? 'goes on'}, cpu ${cpuPercent} %, oom ${oomKills}, refused pids ${refusedPids}`
  );
}

/** One file for the guest, which has no sources. */
function attackRunner(): Buffer {
  const root = path.resolve(import.meta.dirname, '../..');
  const options = ['--bundle', '--platform=node', '--format=esm', '--target=node24', '--log-level=warning'];
  const esbuild = path.join(root, 'node_modules/.bin/esbuild');
  return execFileSync(esbuild, ['test/plugins/attack-runner.ts', ...options], { cwd: root });
}
