// Draining a backlog of the real buffer to one local broker, QoS 1, beside plain mqtt.js that publishes the same bytes with the
// same window. A subscriber in another process checks order and completeness of both.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';
import { type EventBuffer, openBuffer } from '../../src/buffer/open-buffer.ts';
import type { Clock } from '../../src/contracts/clock.ts';
import type { EventDraft } from '../../src/contracts/event.ts';
import { topicsOf } from '../../src/contracts/topics.ts';
import { startUplink } from '../../src/uplink/start-uplink.ts';
import { atStart, testConfig, traceparent } from '../buffer/open-test-buffer.ts';
import { appliance, sampleDevice, storedEvent } from '../support/event-stream.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { recordingLog } from '../support/recording-log.ts';
import { recordingMetrics } from '../support/recording-metrics.ts';
import { startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { uplinkConfig } from '../support/test-uplink.ts';
import { type Cleanup, withCleanup } from '../support/with-cleanup.ts';
import { type BenchRow, benchRow } from './bench-row.ts';

const EVENTS = 200_000;
const WINDOWS = [20, 500];
const FILL_BATCH = 1_000;
const type = 'usb.device.added';
const data = { source: 'kernel', seqnum: 4_711, device: sampleDevice } as const;

const clock: Clock = {
  bootId: '00000000-0000-4000-8000-000000000001',
  uptimeMs: () => performance.now(),
  now: () => ({ uptimeMs: performance.now(), wallMs: Date.now(), synced: true }),
};

export const bench = (): AsyncIterable<BenchRow> => withCleanup(rows);

async function* rows(t: Cleanup): AsyncIterable<BenchRow> {
  const buffer = await fullBuffer(t);
  const { json } = storedEvent({ generation: 1, number: EVENTS }, type, data);
  yield benchRow('drain: size of an event', Buffer.byteLength(json), null, 'bytes');
  for (const window of WINDOWS) {
    const limit = await drain(t, window, (url) => publishPlainly(url, window));
    const ours = await drain(t, window, (url) => drainBuffer(buffer, url, window));
    yield benchRow(`drain of ${EVENTS} events, window ${window}`, ours, limit, 'events/s');
  }
}

async function fullBuffer(t: Cleanup): Promise<EventBuffer> {
  const { socket } = await startRedis(t);
  const dir = await tempDir(t);
  const buffer = await openBuffer({
    config: testConfig({ redisSocket: socket, keepEvents: 2 * EVENTS }),
    markFile: path.join(dir, 'buffer-mark'),
    archiveFolder: path.join(dir, 'archive'),
    seal: (_draft, id) => storedEvent(id, type, data).json,
    clock,
    metrics: recordingMetrics().buffer,
    log: recordingLog(),
    report: () => undefined,
    traceparent: () => traceparent,
  });
  t.after(() => buffer.stop());
  const draft: EventDraft = { type, subject: 'usb/1-1.4', observed: clock.now(), traceparent, data };
  const batch = Array.from({ length: FILL_BATCH }, () => draft);
  for (let stored = 0; stored < EVENTS; stored += FILL_BATCH) await buffer.append(batch);
  return buffer;
}

/** Events a second through a broker with this window; throws unless the subscriber got each once and in order. */
async function drain(t: Cleanup, window: number, run: (url: string) => Promise<number>): Promise<number> {
  // 0: without a limit, or mosquitto drops what the subscriber has not taken yet.
  const config = [`max_inflight_messages ${window}`, 'max_queued_messages 0'];
  const broker = await startMosquitto(t, { config });
  const subscriber = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'drain-subscriber.ts'), broker.url, String(EVENTS)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => subscriber.kill('SIGKILL'));
  const lines = createInterface({ input: subscriber.stdout });
  await once(lines, 'line');
  const verdict = once(lines, 'line');
  const tookMs = await run(broker.url);
  const [line] = (await verdict) as [string];
  const { outOfOrder } = JSON.parse(line) as { readonly outOfOrder: number };
  if (outOfOrder > 0) throw new Error(`window ${window}: ${outOfOrder} events out of order: ${line}`);
  await broker.stop();
  return (EVENTS * 1_000) / tookMs;
}

/** Milliseconds from the start of the uplink, its connecting included, until the cursor is at the last event. */
async function drainBuffer(buffer: EventBuffer, url: string, window: number): Promise<number> {
  const cursor = await buffer.openConsumer(`bench-${window}`, atStart);
  const drained = Promise.withResolvers<number>();
  const since = performance.now();
  const uplink = startUplink({
    config: uplinkConfig({ url, window }),
    appliance,
    clock,
    random: Math.random,
    metrics: recordingMetrics().uplink,
    log: recordingLog(),
    report: (state, why) => {
      if (state === 'down') drained.reject(new Error(why));
    },
    read: buffer.read,
    cursor: {
      get position() {
        return cursor.position;
      },
      acknowledge(id) {
        cursor.acknowledge(id);
        if (id.number >= EVENTS) drained.resolve(performance.now() - since);
      },
    },
    mayPublish: buffer.mayPublish,
    onAppended: buffer.onAppended,
    stateDocument: () => ({ health: { state: 'ok', simulated: false, parts: {} }, lastEventId: null }),
    inventoryDocument: () => ({ devices: [], lastEventId: null }),
    onEvent: () => undefined,
    version: '0.0.0-bench',
    simulated: false,
  });
  try {
    return await drained.promise;
  } finally {
    await uplink.stop();
  }
}

/** The same topic and bytes, from memory. */
async function publishPlainly(url: string, window: number): Promise<number> {
  const topic = topicsOf(appliance).event(type);
  const since = performance.now();
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const done = Promise.withResolvers<void>();
  const properties = { contentType: 'application/cloudevents+json' };
  let [sent, answered] = [0, 0];
  const pump = () => {
    while (sent < EVENTS && sent - answered < window) {
      sent += 1;
      const { json } = storedEvent({ generation: 1, number: sent }, type, data);
      client.publish(topic, json, { qos: 1, properties }, (error) => {
        if (error) return done.reject(error);
        answered += 1;
        if (answered === EVENTS) done.resolve();
        else pump();
      });
    }
  };
  pump();
  await done.promise;
  const tookMs = performance.now() - since;
  await client.endAsync();
  return tookMs;
}
