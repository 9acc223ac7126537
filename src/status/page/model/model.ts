// Everything the page knows, when it learned it, and the ways to learn it anew. One for the life of the page.
import type { DevicesAnswer, PluginsAnswer, SessionAnswer, StateAnswer } from './answers.ts';
import { type Answered, type AskOptions, ask, type Problem } from './ask.ts';
import { EventFeed } from './event-feed.ts';
import { type Route, toRoute } from './route.ts';
import { addPluginSample, newPluginSamples, type PluginSamples, Samples } from './samples.ts';
import { throttle } from './throttle.ts';

export interface Loaded<T> {
  readonly value: T | null;
  /** By performance.now(), when `value` came. */
  readonly gotMs: number;
  /** Why the last attempt brought none; null: it did. */
  readonly problem: Problem | null;
}

export interface Message {
  readonly text: string;
  readonly tone: 'ok' | 'bad';
  readonly key: number;
}

const POLL_MS = 5_000;
const STALE_MS = 3 * POLL_MS;
/** So soon is a list read again because events came; later where they come in crowds. */
const AGAIN_MS = 150;
const AGAIN_IN_CROWDS_MS = 2_000;
const CROWD_PER_SECOND = 10;

const nothing = { value: null, gotMs: 0, problem: null } as const;

export class Model {
  state: Loaded<StateAnswer> = nothing;
  session: Loaded<SessionAnswer> = nothing;
  devices: Loaded<DevicesAnswer> = nothing;
  plugins: Loaded<PluginsAnswer> = nothing;
  route: Route = toRoute(location.hash);
  message: Message | null = null;
  nowMs = performance.now();
  readonly depth = new Samples();
  readonly pluginSamples = new Map<string, PluginSamples>();
  readonly feed: EventFeed;

  #render: () => void = () => undefined;
  #messages = 0;
  readonly #pauseMs = () =>
    this.feed.perSecond(performance.now()) > CROWD_PER_SECOND ? AGAIN_IN_CROWDS_MS : AGAIN_MS;
  readonly #devicesSoon = throttle(() => this.#readDevices(), this.#pauseMs);
  readonly #stateSoon = throttle(() => this.#readState(), this.#pauseMs);
  readonly #pluginsSoon = throttle(() => this.#readPlugins(), this.#pauseMs);

  constructor() {
    this.feed = new EventFeed({
      changed: () => this.changed(),
      onType: (types) => this.#followEvents(types),
      onDevices: (answer) => this.#takeDevices(answer),
    });
  }

  /** Begins to ask; `render` is called whenever something is new, and once a second, because ages grow. */
  start(render: () => void): void {
    this.#render = render;
    addEventListener('hashchange', () => {
      const before = this.route.view;
      this.route = toRoute(location.hash);
      // A device is opened where it stands; a plugin has a page of its own.
      if (this.route.view !== before || before === 'plugins') scrollTo(0, 0);
      // Somebody is here: this asks in his name, and so keeps his session.
      void this.readSession({ pressed: true });
      this.refresh();
    });
    document.addEventListener('visibilitychange', () => this.#followVisibility());
    setInterval(() => this.changed(), 1_000);
    setInterval(() => this.refresh(), POLL_MS);
    void this.readSession({ pressed: true });
    this.refresh();
  }

  changed(): void {
    this.nowMs = performance.now();
    this.#render();
  }

  /** A page that nobody sees asks nothing. */
  refresh(): void {
    if (document.hidden) return;
    this.changed();
    this.#stateSoon();
    if (this.session.value === null) void this.readSession();
    if (!this.mayRead) return;
    this.#devicesSoon();
    if (['overview', 'plugins'].includes(this.route.view)) this.#pluginsSoon();
  }

  /** Six streams are all that a browser opens to one address: a tab in the background must not hold one. */
  #followVisibility(): void {
    if (document.hidden) this.feed.close();
    else if (this.mayRead) this.feed.open();
    this.refresh();
  }

  get stale(): boolean {
    return this.state.value !== null && this.silentSeconds * 1_000 > STALE_MS;
  }

  get silentSeconds(): number {
    return (this.nowMs - this.state.gotMs) / 1_000;
  }

  /** What an answer said was `seconds` ago is older by now. */
  older(seconds: number, { gotMs }: Loaded<unknown> = this.state): number {
    return seconds + Math.max(0, this.nowMs - gotMs) / 1_000;
  }

  get mayRead(): boolean {
    const session = this.session.value;
    return session !== null && (session.user !== null || session.publicReads === 'all');
  }

  may(role: 'operator' | 'admin'): boolean {
    const own = this.session.value?.user?.role;
    return own === 'admin' || (role === 'operator' && own === 'operator');
  }

  /** Mostly the page asks by itself, also whenever the appliance was away: that must keep no session alive. */
  async readSession({ pressed = false }: Pick<AskOptions, 'pressed'> = {}): Promise<void> {
    const answer = await ask<SessionAnswer>('session', { pressed });
    const before = this.session.value?.user?.name;
    this.session = this.#loaded(answer, this.session);
    const after = this.session.value?.user?.name;
    if (before !== undefined && before !== after) this.forget();
    if (this.mayRead) {
      if (!document.hidden) this.feed.open();
      this.refresh();
    }
    this.changed();
  }

  /** After a log-out, or when the session has ended. */
  forget(): void {
    this.devices = nothing;
    this.plugins = nothing;
    this.pluginSamples.clear();
    this.feed.forget();
  }

  /** Changes something at the appliance; says on the page what came of it. */
  async act<T extends { readonly detail?: string }>(
    path: string,
    options: AskOptions,
    done: string,
  ): Promise<Answered<T>> {
    const answer = await ask<T>(path, {
      timeoutMs: 30_000,
      ...options,
      csrf: this.session.value?.csrf ?? null,
    });
    if (answer.ok) this.say(answer.value?.detail ?? done, 'ok');
    else this.say([answer.problem.detail, answer.problem.remedy].filter(Boolean).join(' '), 'bad');
    if (!answer.ok && answer.problem.status === 401) await this.readSession();
    this.#devicesSoon();
    this.#pluginsSoon();
    this.#stateSoon();
    return answer;
  }

  /** For the views that keep their answer themselves. */
  async read<T>(path: string): Promise<Answered<T>> {
    const answer = await ask<T>(path, { timeoutMs: 10_000 });
    if (!answer.ok && answer.problem.status === 401) await this.readSession();
    return answer;
  }

  say(text: string, tone: Message['tone']): void {
    this.#messages += 1;
    const key = this.#messages;
    this.message = { text, tone, key };
    setTimeout(() => this.hush(key), tone === 'ok' ? 6_000 : 15_000);
    this.changed();
  }

  hush(key: number): void {
    if (this.message?.key !== key) return;
    this.message = null;
    this.changed();
  }

  #followEvents(types: ReadonlySet<string>): void {
    if (document.hidden) return;
    const some = (prefix: string) => [...types].some((type) => type.startsWith(prefix));
    if (some('plugin.') || some('security.')) this.#pluginsSoon();
    if (some('uplink.') || some('buffer.') || some('system.') || some('usb.source')) this.#stateSoon();
  }

  async #readState(): Promise<void> {
    const wasAway = this.state.problem !== null;
    const answer = await ask<StateAnswer>('state');
    this.state = this.#loaded(answer, this.state);
    // It may have started again meanwhile, and then nobody is logged in any more.
    if (answer.ok && wasAway) await this.readSession();
    if (answer.ok) this.depth.add(answer.value.buffer.waiting + answer.value.buffer.queued, this.state.gotMs);
    this.changed();
  }

  async #readDevices(): Promise<void> {
    if (!this.mayRead) return;
    const askedMs = performance.now();
    const answer = await ask<DevicesAnswer>('devices');
    // The stream was faster, and its list is the newer one.
    if (this.devices.gotMs > askedMs) return;
    this.devices = this.#loaded(answer, this.devices);
    if (!answer.ok && answer.problem.status === 401) await this.readSession();
    this.changed();
  }

  #takeDevices(answer: DevicesAnswer): void {
    this.devices = { value: answer, gotMs: performance.now(), problem: null };
    this.changed();
  }

  async #readPlugins(): Promise<void> {
    if (!this.mayRead) return;
    const answer = await ask<PluginsAnswer>('plugins');
    this.plugins = this.#loaded(answer, this.plugins);
    for (const plugin of answer.ok ? answer.value.plugins : []) {
      const samples = this.pluginSamples.get(plugin.name) ?? newPluginSamples();
      this.pluginSamples.set(plugin.name, samples);
      addPluginSample(samples, plugin, this.plugins.gotMs);
    }
    this.changed();
  }

  /** A failed attempt does not take away what was known: its age tells. */
  #loaded<T>(answer: Answered<T>, before: Loaded<T>): Loaded<T> {
    if (answer.ok) return { value: answer.value, gotMs: performance.now(), problem: null };
    return { ...before, problem: answer.problem };
  }
}
