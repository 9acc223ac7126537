import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import type { Metrics } from '../../src/contracts/metrics.ts';
import { createMetrics } from '../../src/telemetry/create-metrics.ts';
import { readCgroupMemory } from '../../src/telemetry/read-cgroup-memory.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { tempDir } from '../support/temp-dir.ts';

const labels = {
  source: 'kernel',
  code: '200',
  kind: 'attach',
  type: 'usb.device.added',
  cause: 'debounce',
  reason: 'too-large',
  route: '/health',
};

type Use = (value: number, labels: object) => void;

/** Uses every metric there is once, so that each has a sample. Returns how many there are. */
function useAll(metrics: Metrics): number {
  const uses = Object.values(metrics).flatMap((folder) =>
    Object.values(folder as Record<string, Record<string, Use>>).flatMap((metric) => Object.values(metric)),
  );
  for (const use of uses) useOnce(use);
  return uses.length;
}

/** prom-client refuses a label that the metric does not have: the right ones are found by leaving it out. */
function useOnce(use: Use): void {
  let names = Object.entries(labels);
  for (;;) {
    try {
      use(0.003, Object.fromEntries(names));
      return;
    } catch (cause) {
      const [, refused] = /label "(\w+)"/.exec(String(cause)) ?? [];
      const left = names.filter(([name]) => name !== refused);
      if (left.length === names.length) throw cause;
      names = left;
    }
  }
}

test('promtool has nothing to say about any autoweave_ metric [M1]', async (t) => {
  const promtool = spawnSync('promtool', ['--version']);
  if (promtool.error !== undefined) {
    t.skip('promtool is not installed (apt-get install prometheus)');
    return;
  }
  const registry = createMetrics({ version: '1.2.3', lostLogLines: () => 2 });
  t.after(() => registry.stop());
  assert.ok(useAll(registry.metrics) > 20);
  const input = await registry.text();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  assert.equal(`${stdout}${stderr}`.trim(), '');
  assert.equal(status, 0);
  const wrong = spawnSync('promtool', ['check', 'metrics'], { input: `${input}\nautoweave_wrong_count 1\n` });
  assert.notEqual(wrong.status, 0, 'promtool finds nothing wrong with anything: the check itself is broken');
});

test('every metric of the contract has a name of its own in the text, and is in it after use [M1]', async (t) => {
  const registry = createMetrics();
  t.after(() => registry.stop());
  const contract = readFileSync('src/contracts/metrics.ts', 'utf8');
  const declared = [...contract.matchAll(/^ {2}readonly \w+: (Counter|Gauge|Histogram)/gm)].length;
  const used = useAll(registry.metrics);
  assert.equal(used, declared);
  const text = await registry.text();
  const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name ?? '');
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.every((name) => name.startsWith('autoweave_')));
  for (const name of names) assert.match(text, new RegExp(`^${name}(_bucket)?({.*})? \\S+$`, 'm'), name);
  assert.ok(names.length >= used + 8);
});

test('counters, gauges and histograms count what they are told, and ignore what is no number [M1]', async (t) => {
  const { metrics, text, stop } = createMetrics({ lostLogLines: () => 7 });
  t.after(stop);
  metrics.events.made.add(2, { type: 'usb.device.added' });
  metrics.events.made.add(1, { type: 'usb.device.added' });
  metrics.buffer.appended.add(Number.NaN);
  metrics.buffer.appended.add(-4);
  metrics.buffer.depth.set(9);
  metrics.buffer.depth.set(Number.NaN);
  metrics.buffer.eventLatency.observe(0.0004);
  metrics.buffer.eventLatency.observe(Number.POSITIVE_INFINITY);
  const scraped = await text();
  for (const line of [
    'autoweave_events_total{type="usb.device.added"} 3',
    'autoweave_buffer_appended_events_total 0',
    'autoweave_buffer_depth_events 9',
    'autoweave_event_latency_seconds_bucket{le="0.0005"} 1',
    'autoweave_event_latency_seconds_count 1',
    'autoweave_log_lines_lost_total 7',
  ]) {
    assert.ok(scraped.split('\n').includes(line), line);
  }
  assert.ok((await text()).includes('autoweave_log_lines_lost_total 7\n'), 'a second scrape adds nothing');
});

test('the process and the memory of the machine are in the text with plausible values [M1]', async (t) => {
  const { text, stop } = createMetrics();
  t.after(stop);
  const scraped = await text();
  const sample = (name: string) =>
    Number(
      scraped
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
  assert.ok(sample('autoweave_process_resident_memory_bytes') > 10e6);
  assert.ok(sample('autoweave_process_cpu_seconds_total') > 0);
  assert.ok(sample('autoweave_process_event_loop_lag_max_seconds') >= 0);
  assert.ok(Math.abs(sample('autoweave_process_start_time_seconds') - Date.now() / 1000) < 600);
  const [used, limit] = ['used', 'limit'].map((what) =>
    sample(`autoweave_memory_${what}_bytes{scope="machine"}`),
  );
  assert.ok(used !== undefined && limit !== undefined && used > 0 && used < limit);
});

test('the control group with the least room gives the limit, and none gives null [M1]', async (t) => {
  const root = await tempDir(t);
  const groupFile = path.join(root, 'self');
  await writeFile(groupFile, '1:name=systemd:/old\n0::/edge/main\n');
  await mkdir(path.join(root, 'edge/main'), { recursive: true });
  const put = (group: string, max: string, current: string) =>
    Promise.all([
      writeFile(path.join(root, group, 'memory.max'), `${max}\n`),
      writeFile(path.join(root, group, 'memory.current'), `${current}\n`),
    ]);
  await put('edge/main', 'max', '100');
  assert.equal(await readCgroupMemory({ groupFile, root }), null);
  await put('edge', '1000', '900');
  assert.deepEqual(await readCgroupMemory({ groupFile, root }), { usedBytes: 900, limitBytes: 1000 });
  await put('edge/main', '500', '100');
  assert.deepEqual(await readCgroupMemory({ groupFile, root }), { usedBytes: 900, limitBytes: 1000 });
  assert.equal(await readCgroupMemory({ groupFile: path.join(root, 'none'), root }), null);
});

test('the recorder that tests use knows every folder of the contract [M1]', (t) => {
  const registry = createMetrics();
  t.after(() => registry.stop());
  const recorder = recordingMetrics();
  assert.deepEqual(
    Object.keys(registry.metrics).filter((folder) => !(folder in recorder)),
    [],
  );
});
