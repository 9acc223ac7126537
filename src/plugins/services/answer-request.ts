// A plugin's request -> what the appliance does for it, if its manifest declares it. Runs in the daemon; one maker per plugin.

import type { AppendEvents } from '../../contracts/buffer.ts';
import type { Clock } from '../../contracts/clock.ts';
import type { EventDraft, EventId } from '../../contracts/event.ts';
import { formatEventId } from '../../contracts/event.ts';
import type { PluginPermissions } from '../../contracts/plugin-manifest.ts';
import { errorText } from '../../lib/error-text.ts';
import { maxEmitBytes, type PluginRequest } from '../protocol/from-host.ts';
import { ByteBudget } from './byte-budget.ts';
import { isShallow } from './json-depth.ts';
import type { KvStore } from './kv-store.ts';
import type { SerialService } from './serial-service.ts';

const DEPTH_MAX = 32;
/** Of the JSON text of all keys: an answer must fit into one message. */
const KEYS_MAX_BYTES = 1_048_576;
const KIB = 1_024;
/** What goes into the store or to the broker: data of events, payloads. */
const OUT = { perSecond: 1_024 * KIB, burst: 4_096 * KIB };
/** What goes onto the flash: a few values now and then, and once all that a plugin may keep by default. */
const KEPT = { perSecond: 128 * KIB, burst: 2_048 * KIB };

export type RequestAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly reason: string };

/** Below the plugin's own topic; resolves with null once the broker has it, else with the reason. */
export type PublishMqtt = (
  topic: string,
  payload: string,
  retain: boolean,
) => Promise<{ readonly code: string; readonly reason: string } | null>;

export interface AnswerOptions {
  readonly name: string;
  readonly permissions: PluginPermissions;
  readonly append: AppendEvents;
  readonly clock: Pick<Clock, 'now'>;
  readonly traceparent: () => string;
  readonly kv: KvStore | null;
  readonly serial: SerialService;
  readonly publish: PublishMqtt;
  readonly onDenied: (detail: string) => void;
  readonly onEmitted: (stored: Promise<unknown>) => void;
}

export type AnswerRequest = (request: PluginRequest) => Promise<RequestAnswer>;

export function createAnswers(options: AnswerOptions): AnswerRequest {
  const { clock, kv, name, onDenied, permissions, publish, serial } = options;
  const out = new ByteBudget({ ...OUT, clock });
  const kept = new ByteBudget({ ...KEPT, clock });
  /** @param lacks what its author has to add */
  const denied = (what: string, lacks = `permissions.${what}`): RequestAnswer => {
    const detail = `${what}: plugin.json has no ${lacks}`;
    onDenied(detail);
    return refusal('permission.denied', detail);
  };

  /** No async function: one that waits for the store would keep `data` in memory, twenty times the size of its text. */
  const emit = ({
    data,
    traceparent,
    type,
  }: Extract<PluginRequest, { op: 'emit' }>): RequestAnswer | Promise<RequestAnswer> => {
    if (permissions.emit?.includes(type) !== true)
      return denied(`emit ${type}`, `${JSON.stringify(type)} in permissions.emit`);
    if (!isShallow(data, DEPTH_MAX))
      return refusal('emit.too-deep', `data nests deeper than ${DEPTH_MAX} levels`);
    const json = JSON.stringify(data);
    const bytes = Buffer.byteLength(json);
    if (bytes > maxEmitBytes)
      return refusal('emit.too-large', `data is ${bytes} bytes of JSON; at most ${maxEmitBytes} may be`);
    const turn = out.turn(bytes);
    if (turn === null) return tooMuch(OUT.perSecond);
    const draft: Omit<EventDraft, 'data'> = {
      type: `plugin.${name}.${type}`,
      subject: `plugin/${name}`,
      observed: clock.now(),
      traceparent: traceparent ?? options.traceparent(),
    };
    // Told at once: an acknowledgement that comes while it waits does not count before it is stored.
    const storing = turn.then(() => options.append([{ ...draft, data: JSON.parse(json), dataJson: json }]));
    options.onEmitted(storing);
    return storing.then(stored);
  };

  const answer = async (request: PluginRequest): Promise<RequestAnswer> => {
    switch (request.op) {
      case 'emit':
        return emit(request);
      case 'kv.get':
        if (kv === null) return denied('kv');
        await kept.turn(0);
        return value(await kv.get(request.key));
      case 'kv.keys':
        if (kv === null) return denied('kv');
        await kept.turn(0);
        return value(await kv.keys());
      case 'kv.set':
      case 'kv.delete': {
        if (kv === null) return denied('kv');
        const json = request.op === 'kv.set' ? request.json : null;
        const turn = kept.turn(Buffer.byteLength(request.key) + Buffer.byteLength(json ?? ''));
        if (turn === null) return tooMuch(KEPT.perSecond);
        await turn;
        const outcome = await kv.set(request.key, json);
        return outcome === 'ok'
          ? value(null)
          : refusal('kv.quota', `more than the ${permissions.kv?.maxBytes} bytes that the manifest asks for`);
      }
      case 'mqtt.publish': {
        if (permissions.mqtt === undefined) return denied('mqtt');
        const turn = out.turn(Buffer.byteLength(request.payload));
        if (turn === null) return tooMuch(OUT.perSecond);
        await turn;
        const trouble = await publish(request.topic, request.payload, request.retain);
        return trouble === null ? value(null) : { ok: false, ...trouble };
      }
      case 'serial.list':
      case 'serial.open':
      case 'serial.write':
      case 'serial.close':
        return permissions.serial === undefined ? denied('serial') : serial.answer(request);
    }
  };

  return (request) => {
    const { op } = request;
    return answer(request)
      .then((answered) => (op === 'kv.keys' ? listed(answered) : answered))
      .catch((cause: unknown) => refusal('request.failed', `${op}: ${errorText(cause)}`));
  };
}

function stored([id]: readonly EventId[]): RequestAnswer {
  if (id === undefined)
    return refusal('emit.dropped', 'the store is away and the memory queue is full; a buffer.gap says so');
  return value(formatEventId(id));
}

function listed(answered: RequestAnswer): RequestAnswer {
  const bytes = answered.ok ? Buffer.byteLength(JSON.stringify(answered.value)) : 0;
  if (bytes <= KEYS_MAX_BYTES) return answered;
  return refusal(
    'kv.too-large',
    `the names of all its keys are ${bytes} bytes of JSON; at most ${KEYS_MAX_BYTES} are listed`,
  );
}

function tooMuch(perSecond: number): RequestAnswer {
  const reason = `more than ${perSecond / KIB} KiB a second for too long; wait for the answers before you write more`;
  return refusal('request.too-much', reason);
}

function value(of: unknown): RequestAnswer {
  return { ok: true, value: of };
}

function refusal(code: string, reason: string): RequestAnswer {
  return { ok: false, code, reason };
}
