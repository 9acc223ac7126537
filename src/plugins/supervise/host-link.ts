// One running process of a plugin as the daemon sees it: messages in, each checked by schema, size and rate; messages out; a
// watchdog; an end that is certain. What the process says is the plugin's word, whatever thread wrote it.
import type { Clock } from '../../contracts/clock.ts';
import type { SecurityLevel } from '../../contracts/plugin-manifest.ts';
import { schemaCheck } from '../../lib/schema-check.ts';
import type { Leaf, LeafUse } from '../cgroup/open-leaf.ts';
import { type OomWatch, watchOom } from '../cgroup/watch-oom.ts';
import { createFrameReader, writeFrame } from '../protocol/frames.ts';
import { FromHost, maxFrameBytes } from '../protocol/from-host.ts';
import type { ToHost } from '../protocol/to-host.ts';
import { TokenBucket } from '../protocol/token-bucket.ts';
import type { HostProcess } from '../sandbox/launch-host.ts';
import { OutputLines } from './output-lines.ts';

const PING_MS = 2_500;
const UNRESPONSIVE_MS = 10_000;
/** Messages that no answer of ours asked for. */
const MESSAGES_PER_SECOND = 500;
const MESSAGES_BURST = 2_000;
const LOG_PER_SECOND = 50;
const LOG_BURST = 500;
/** A stop is over in 3 s for all of the appliance: each step has its share of that. */
const STOP_MS = 1_200;
const TERMINATE_MS = 300;
const SIGKILL_MS = 300;
const LAST_WORDS_MS = 200;
/** When so much waits for the process, nothing more is taken from it until it has taken all: what it asks for is our memory. */
const FULL_BYTES = 1_048_576;
/** No answer and no event adds to a full pipe by more than what is on its way: this is beyond what a reading process can owe. */
const MOST_BYTES = 16_777_216;

const check = schemaCheck(FromHost);

export type EndLayer = 'itself' | 'stop' | 'terminate' | 'sigkill' | 'cgroup.kill';

export interface ProcessEnd {
  readonly by: EndLayer;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The leaf's figures just before it was removed; null without one. */
  readonly use: LeafUse | null;
  /** When it was found: the kernel's notice that memory.max was reached, else the exit. By the clock's uptime. */
  readonly foundMs: number;
}

export interface Violation {
  readonly what: 'message' | 'rate' | 'log' | 'unresponsive';
  readonly detail: string;
  readonly isFatal: boolean;
}

export interface HostHandlers {
  onMessage(message: FromHost): void;
  onViolation(violation: Violation): void;
  onOutput(text: string): void;
  onUnresponsive(why: string): void;
  /** What comes by itself must wait while so much waits for the process already. */
  onFull(isFull: boolean): void;
  /** Once, when no process is left. */
  onEnd(end: ProcessEnd): void;
}

/**
 * INVARIANTS
 * - After the first fatal violation nothing more is read: what follows cannot be understood or is not meant well.
 * - While the pipe to it is full, nothing of it is read: what waits for it stays about FULL_BYTES, whatever it asks for.
 * - onEnd comes after the leaf is empty and removed, whoever ended the process.
 */
export class HostLink {
  readonly #host: HostProcess;
  readonly #leaf: Leaf | null;
  readonly #oom: OomWatch | null;
  readonly #clock: Pick<Clock, 'uptimeMs'>;
  readonly #handlers: HostHandlers;
  readonly #frames = createFrameReader(maxFrameBytes);
  readonly #messages: TokenBucket;
  readonly #logLines: TokenBucket;
  readonly #level: SecurityLevel;
  readonly #exited = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #timer: NodeJS.Timeout;
  #resume: NodeJS.Timeout | undefined;
  #drained: PromiseWithResolvers<void> | null = null;
  #pings = 0;
  #answered = 0;
  #isOpen = false;
  #answeredMs: number;
  #watchedMs: number;
  #endedBy: EndLayer = 'itself';
  #over = false;

  constructor(options: {
    readonly host: HostProcess;
    readonly leaf: Leaf | null;
    readonly level: SecurityLevel;
    readonly clock: Pick<Clock, 'uptimeMs'>;
    readonly handlers: HostHandlers;
  }) {
    const { clock, handlers, host, leaf, level } = options;
    this.#host = host;
    this.#leaf = leaf;
    this.#oom = leaf === null ? null : watchOom(leaf.dir, () => clock.uptimeMs());
    this.#level = level;
    this.#clock = clock;
    this.#handlers = handlers;
    const nowMs = clock.uptimeMs();
    this.#answeredMs = nowMs;
    this.#watchedMs = nowMs;
    this.#messages = new TokenBucket({ perSecond: MESSAGES_PER_SECOND, burst: MESSAGES_BURST, nowMs });
    this.#logLines = new TokenBucket({ perSecond: LOG_PER_SECOND, burst: LOG_BURST, nowMs });
    this.#timer = setInterval(() => this.#watch(), PING_MS);
    host.channel.on('data', (chunk: Buffer) => this.#take(chunk));
    host.channel.on('drain', () => this.#emptied());
    host.channel.on('error', () => host.channel.destroy());
    for (const stream of [host.stdout, host.stderr]) {
      new OutputLines(stream, {
        clock,
        onLine: (text) => handlers.onOutput(text),
        onTooMuch: (detail) => handlers.onViolation({ what: 'log', detail, isFatal: false }),
      });
    }
    host.child.on('error', (cause) => handlers.onOutput(`launcher: ${cause.message}`));
    host.child.once('exit', (code, signal) => void this.#finish(code, signal));
    // It was never started: there is no exit then.
    host.child.once('error', () => {
      if (host.child.pid === undefined) void this.#finish(null, null);
    });
  }

  /** Resolves when no process is left and the leaf is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  send(message: ToHost): void {
    const { channel } = this.#host;
    if (this.#over || !channel.writable) return;
    writeFrame(channel, message);
    const waiting = channel.writableLength;
    if (waiting > MOST_BYTES) {
      this.#refuse('unresponsive', `it does not take what it is sent: ${waiting} bytes wait for it`);
    } else if (waiting > FULL_BYTES && this.#drained === null) {
      this.#drained = Promise.withResolvers<void>();
      const fullMs = this.#clock.uptimeMs();
      channel.pause();
      this.#handlers.onFull(true);
      // What it said meanwhile was not read: that is our silence, not its own.
      void this.#drained.promise.then(() => {
        this.#answeredMs += this.#clock.uptimeMs() - fullMs;
      });
    }
  }

  /** null: there is room. Else it resolves when there is, or when nothing is sent any more. */
  get room(): Promise<void> | null {
    return this.#over ? null : (this.#drained?.promise ?? null);
  }

  signal(signal: 'SIGKILL'): void {
    this.#host.child.kill(signal);
  }

  /** Kill order: cooperative stop, worker.terminate, SIGKILL, cgroup.kill; begins at `from`. Resolves as `ended` does. */
  async end(from: 'stop' | 'terminate' | 'sigkill' | 'cgroup.kill'): Promise<void> {
    const steps = {
      stop: { limitMs: STOP_MS, act: () => this.send({ t: 'stop' }) },
      terminate: { limitMs: TERMINATE_MS, act: () => this.send({ t: 'terminate' }) },
      sigkill: { limitMs: SIGKILL_MS, act: () => void this.#host.child.kill('SIGKILL') },
    } as const;
    const order = ['stop', 'terminate', 'sigkill'] as const;
    const first = from === 'cgroup.kill' ? order.length : order.indexOf(from);
    for (const name of order.slice(first)) {
      this.#endedBy = name;
      steps[name].act();
      if (await within(steps[name].limitMs, this.#exited.promise)) return this.#ended.promise;
    }
    this.#endedBy = 'cgroup.kill';
    await this.#leaf?.kill();
    this.#host.child.kill('SIGKILL');
    return this.#ended.promise;
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    const { messages, problem } = this.#frames.take(chunk);
    for (const message of messages) {
      const verdict = check(message);
      if (!verdict.ok) {
        const [first] = verdict.problems;
        this.#refuse('message', `a message does not fit the protocol: ${first?.path} ${first?.message}`);
        return;
      }
      this.#pass(verdict.value);
      if (this.#over) return;
    }
    if (problem !== null)
      this.#refuse('message', `a message is ${problem === 'too-large' ? 'too large' : 'not JSON'}`);
  }

  #emptied(): void {
    if (this.#drained === null) return;
    this.#drained.resolve();
    this.#drained = null;
    this.#handlers.onFull(false);
    this.#readOn();
  }

  #readOn(): void {
    if (this.#resume === undefined && this.#drained === null) this.#host.channel.resume();
  }

  #pass(message: FromHost): void {
    const nowMs = this.#clock.uptimeMs();
    switch (message.t) {
      case 'opened':
        if (!this.#isOpen) this.#answeredMs = nowMs;
        this.#isOpen = true;
        this.#handlers.onMessage(message);
        break;
      case 'pong':
        // One answer to each ping, late ones too: where everything is slow the next ping is out before it comes. More are a flood.
        if (message.n <= this.#answered || message.n > this.#pings) break;
        this.#answered = message.n;
        this.#answeredMs = nowMs;
        this.#handlers.onMessage(message);
        if (message.quietMs >= UNRESPONSIVE_MS)
          this.#handlers.onUnresponsive(
            `its code has not let go of its thread for ${Math.round(message.quietMs)} ms`,
          );
        return;
      case 'log':
        if (this.#logLines.take(1, nowMs)) this.#handlers.onMessage(message);
        else
          this.#handlers.onViolation({
            what: 'log',
            detail: `more than ${LOG_PER_SECOND} lines a second; they are left out`,
            isFatal: false,
          });
        break;
      default:
        this.#handlers.onMessage(message);
    }
    // Acknowledgements are as many as the events that were sent, which the receiver checks.
    if (message.t === 'ack') return;
    const waitMs = this.#messages.owe(1, nowMs);
    if (waitMs > 0) this.#slowDown(waitMs);
  }

  /** The pipe is not read for a while: its writer waits, and nobody else. */
  #slowDown(waitMs: number): void {
    if (this.#resume !== undefined) return;
    const isFatal = this.#level === 'high';
    const detail = `more than ${MESSAGES_PER_SECOND} messages a second`;
    this.#handlers.onViolation({ what: 'rate', detail, isFatal });
    if (isFatal) {
      this.#over = true;
      this.#host.channel.destroy();
      return;
    }
    this.#host.channel.pause();
    const pausedMs = this.#clock.uptimeMs();
    this.#resume = setTimeout(() => {
      this.#resume = undefined;
      // Its answer to a ping waited behind what it had said: that is our silence, not its own.
      this.#answeredMs += this.#clock.uptimeMs() - pausedMs;
      this.#readOn();
    }, waitMs);
  }

  #refuse(what: Violation['what'], detail: string): void {
    this.#over = true;
    this.#host.channel.destroy();
    this.#handlers.onViolation({ what, detail, isFatal: true });
  }

  #watch(): void {
    const nowMs = this.#clock.uptimeMs();
    // A timer that comes late: this thread, or the whole machine, stood still. That is not the plugin's silence.
    this.#answeredMs += Math.max(0, nowMs - this.#watchedMs - PING_MS);
    this.#watchedMs = nowMs;
    // Until it is there, the limit of its start holds, which knows what cpu.max held it back.
    if (!this.#isOpen) return;
    const silentMs = nowMs - this.#answeredMs;
    if (silentMs >= UNRESPONSIVE_MS) {
      clearInterval(this.#timer);
      const what = this.#drained === null ? 'answered' : 'taken what it was sent';
      this.#handlers.onUnresponsive(`its process has not ${what} for ${Math.round(silentMs)} ms`);
    } else {
      this.#pings += 1;
      this.send({ t: 'ping', n: this.#pings });
    }
  }

  async #finish(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    const exitedMs = this.#clock.uptimeMs();
    this.#exited.resolve();
    clearInterval(this.#timer);
    clearTimeout(this.#resume);
    // Its last words may still be in the pipe: why it failed, or the acknowledgement of its last event.
    this.#host.channel.resume();
    const drained = Promise.withResolvers<void>();
    this.#host.channel.once('close', () => drained.resolve());
    if (!this.#host.channel.destroyed) await within(LAST_WORDS_MS, drained.promise);
    this.#over = true;
    this.#host.channel.destroy();
    // Who waits for room has none to wait for any more.
    this.#drained?.resolve();
    // Read first: the group's own account of why it ended goes with it.
    const use = (await this.#leaf?.use().catch(() => null)) ?? null;
    const foundMs = this.#oom?.sinceMs ?? exitedMs;
    this.#oom?.stop();
    await this.#leaf
      ?.remove()
      .catch((cause: unknown) => this.#handlers.onOutput(`remove the cgroup: ${String(cause)}`));
    this.#handlers.onEnd({ by: this.#endedBy, code, signal, use, foundMs });
    this.#ended.resolve();
  }
}

async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const isDone = await Promise.race([work.then(() => true), late.promise]);
  clearTimeout(timer);
  return isDone;
}
