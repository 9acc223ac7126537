// The checker against streams with a known fault: it must find that fault and no other.
import assert from 'node:assert/strict';
import test from 'node:test';
import mqtt from 'mqtt';
import { startMosquitto } from '../mosquitto.ts';
import { createJudge, type Verdict } from './judge.ts';
import { type Arrival, contentCrc, toArrival } from './record-lines.ts';
import { startChecker } from './start-checker.ts';

const source = 'urn:autoweave:acme:lab:kiosk';

type Type = 'usb.device.added' | 'buffer.generation' | 'buffer.gap';

function payload(id: string, type: Type = 'usb.device.added', data: object = {}, trace = id): Buffer {
  const [generation = '', number = ''] = trace.split('-');
  const hex = generation.padStart(4, '0') + number.padStart(8, '0') + '0'.repeat(20);
  return Buffer.from(
    JSON.stringify({ source, id, type, traceparent: `00-${hex}-${'1'.repeat(16)}-01`, data }),
  );
}
const generation = (id: string, previousGeneration: number, previousNumber: number) =>
  payload(id, 'buffer.generation', { previousGeneration, previousNumber });
/** `<g>-1` announces the generation, the rest are plugs. */
const stream = (count: number) => [
  generation('7-1', 0, 0),
  ...Array.from({ length: count - 1 }, (_, index) => payload(`7-${index + 2}`)),
];
const acknowledgedOf = (payloads: readonly Buffer[]) =>
  payloads.map(toArrival).map(({ source, id, crc }) => ({ source, id, crc }));

function judged(acknowledged: readonly Buffer[], arrived: readonly Buffer[]): Verdict {
  const judge = createJudge();
  for (const record of acknowledgedOf(acknowledged)) judge.acknowledged(record);
  for (const record of arrived.map(toArrival)) judge.arrived(record);
  return judge.verdict();
}

const faults = ['lost', 'holes', 'twice', 'reused', 'outOfOrder', 'unannounced'] as const;
function assertFound(verdict: Verdict, expected: Partial<Record<(typeof faults)[number], number>>): void {
  assert.deepEqual(Object.fromEntries(faults.map((name) => [name, verdict[name].count])), {
    ...Object.fromEntries(faults.map((name) => [name, 0])),
    ...expected,
  });
  assert.equal(verdict.ok, Object.keys(expected).length === 0);
}

test('a whole stream, in order, has no fault [B5]', () => {
  const verdict = judged(stream(50), stream(50));
  assertFound(verdict, {});
  assert.deepEqual([verdict.acknowledged, verdict.arrived, verdict.distinct], [50, 50, 50]);
});

test('an acknowledged event that never arrives is lost, also the last one [B5]', () => {
  const all = stream(50);
  assertFound(judged(all, all.toSpliced(20, 1)), { lost: 1 });
  const verdict = judged(all, all.slice(0, -1));
  assertFound(verdict, { lost: 1 });
  assert.deepEqual(verdict.lost.first, [`${source} 7-50`]);
});

test('an id in the middle that was never acknowledged and never arrives is a hole [B1]', () => {
  const all = stream(50).toSpliced(20, 2);
  const verdict = judged(all, all);
  assertFound(verdict, { holes: 2 });
  assert.deepEqual(verdict.holes.first, [`${source} 7-21 to 7-22`]);
});

test('the same event again under its id is counted and is no fault [B5]', () => {
  const all = stream(50);
  const verdict = judged(all, [...all.slice(0, 30), ...all.slice(10)]);
  assertFound(verdict, {});
  assert.deepEqual([verdict.arrived, verdict.distinct, verdict.repeated], [70, 50, 20]);
});

test('one event under two ids is found by its trace [B1]', () => {
  const all = [...stream(50), payload('7-51', 'usb.device.added', {}, '7-30')];
  assertFound(judged(all, all), { twice: 1 });
});

test('one id for two contents is found, among arrivals and against what was acknowledged [B1]', () => {
  const all = stream(50);
  const other = payload('7-30', 'usb.device.added', { other: true });
  assertFound(judged(all, [...all, other]), { reused: 1 });
  assertFound(judged(all, all.with(29, other)), { reused: 1, lost: 1 });
});

test('two events that change places are out of order [B5]', () => {
  const all = stream(50);
  const [a = Buffer.of(), b = Buffer.of()] = all.slice(20, 22);
  assertFound(judged(all, all.toSpliced(20, 2, b, a)), { outOfOrder: 1 });
});

test('a generation that begins without its announcement is found, and one that comes back [B1]', () => {
  const all = stream(50);
  assertFound(judged(all, [...all, payload('8-1')]), { unannounced: 1 });
  assertFound(judged(all, [...all, payload('8-2')]), { unannounced: 1, holes: 1 });
  assertFound(judged(all, [...all, generation('8-1', 7, 50), payload('6-1')]), {
    outOfOrder: 1,
    unannounced: 1,
  });
});

test('what an event says is missing is no loss, and nothing beyond it [B3]', () => {
  const all = stream(50);
  const gap = payload('7-51', 'buffer.gap', { from: '7-20', to: '7-22' });
  const without = (from: number, to: number) => all.filter((_, index) => index + 1 < from || index + 1 > to);
  const verdict = judged([...all, gap], [...without(20, 22), gap]);
  assertFound(verdict, {});
  assert.equal(verdict.told.count, 3);
  assertFound(judged([...all, gap], [...without(19, 23), gap]), { lost: 2 });
  const runs = payload('7-51', 'buffer.gap', {
    ...{ from: '7-20', to: '7-30' },
    runs: [
      [20, 22],
      [30, 30],
    ],
  });
  const withoutRuns = without(20, 22).filter((one) => toArrival(one).id !== '7-30');
  assertFound(judged([...all, runs], [...withoutRuns, runs]), {});
  assertFound(judged([...all, runs], [...withoutRuns.filter((one) => toArrival(one).id !== '7-25'), runs]), {
    lost: 1,
  });
  const lostStore = generation('8-1', 7, 40);
  assertFound(judged([...all, lostStore], [...without(41, 50), lostStore]), {});
  assertFound(judged([...all, lostStore], [...without(40, 50), lostStore]), { lost: 1 });
});

test('recorder and judge as processes with a real broker: a planted loss and a planted repeat are told apart [B5]', async (t) => {
  const broker = await startMosquitto(t);
  const checker = await startChecker(t, broker.url);
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  t.after(() => client.endAsync(true));
  const all = stream(200);
  for (const record of acknowledgedOf(all)) checker.acknowledged(record);
  const publish = (one: Buffer) =>
    client.publishAsync('autoweave/v1/acme/lab/kiosk/event/usb.device.added', one, { qos: 1 });
  for (const one of all.toSpliced(99, 1)) await publish(one);
  await publish(all[120] ?? Buffer.of());
  assert.equal(await checker.settled(500), false);
  assert.deepEqual(await checker.counts(), { acknowledged: 200, arrived: 200, missing: 1 });
  const verdict = await checker.verdict();
  assertFound(verdict, { lost: 1 });
  assert.deepEqual(verdict.lost.first, [`${source} 7-100`]);
  assert.equal(verdict.repeated, 1);
});

test('the CRC is of the exact bytes: one changed byte is another content [B1]', () => {
  const one = payload('7-2');
  const changed: Arrival = { ...toArrival(one), crc: contentCrc(Buffer.from(one).fill('x', 0, 1)) };
  assert.notEqual(toArrival(one).crc, changed.crc);
});
