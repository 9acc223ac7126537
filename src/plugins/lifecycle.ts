// The life of a plugin as types: each state carries only what is true in it, each transition is a function from the states that
// allow it. There is no way to write down an illegal one. Pure.

export interface Discovered {
  readonly state: 'discovered';
}
/** Signature, manifest, permissions and policy are looked at; none of its code has run. */
export interface Validating {
  readonly state: 'validating';
}
export interface Rejected {
  readonly state: 'rejected';
  readonly code: string;
  readonly reason: string;
}
/** Its files are being unpacked and its cgroup made. */
export interface Loading {
  readonly state: 'loading';
  readonly version: string;
}
/** Its process is there, its own `start` is not through. */
export interface Starting {
  readonly state: 'starting';
  readonly version: string;
}
export interface Running {
  readonly state: 'running';
  readonly version: string;
}
export interface Stopping {
  readonly state: 'stopping';
  readonly version: string;
  readonly reason: string;
}
export interface Stopped {
  readonly state: 'stopped';
  readonly reason: string;
}
/** It is tried again after `retryInMs`. */
export interface Failed {
  readonly state: 'failed';
  readonly version: string;
  readonly code: string;
  readonly reason: string;
  readonly retryInMs: number;
}
/**
 * It stays so until a person enables or restarts it or installs another version, or `retryInMs` is over where there is one. What a
 * violation has blocked stays so over a new start of the daemon; every other block is found anew there, or is gone with its cause.
 */
export interface Blocked {
  readonly state: 'blocked';
  readonly code: string;
  readonly reason: string;
  readonly retryInMs: number | null;
}

export type PluginState =
  | Discovered
  | Validating
  | Rejected
  | Loading
  | Starting
  | Running
  | Stopping
  | Stopped
  | Failed
  | Blocked;

/** A state in which none of its processes exists. */
export type AtRest = Discovered | Rejected | Stopped | Failed | Blocked;
/** A state in which its process may exist. */
export type Alive = Loading | Starting | Running | Stopping;

interface Refusal {
  readonly code: string;
  readonly reason: string;
}

export const discovered: Discovered = { state: 'discovered' };

export function validate(_from: AtRest): Validating {
  return { state: 'validating' };
}

export function reject(_from: Validating, { code, reason }: Refusal): Rejected {
  return { state: 'rejected', code, reason };
}

export function load(_from: Validating, version: string): Loading {
  return { state: 'loading', version };
}

export function start({ version }: Loading): Starting {
  return { state: 'starting', version };
}

export function run({ version }: Starting): Running {
  return { state: 'running', version };
}

export function stop({ version }: Loading | Starting | Running, reason: string): Stopping {
  return { state: 'stopping', version, reason };
}

export function stopped(from: Stopping | Validating | AtRest, reason: string): Stopped {
  return { state: 'stopped', reason: from.state === 'stopping' ? from.reason : reason };
}

export function fail({ version }: Alive, { code, reason }: Refusal, retryInMs: number): Failed {
  return { state: 'failed', version, code, reason, retryInMs };
}

export function block(
  _from: Alive | Validating | AtRest,
  { code, reason }: Refusal,
  retryInMs: number | null,
): Blocked {
  return { state: 'blocked', code, reason, retryInMs };
}

export function isAtRest(state: PluginState): state is AtRest {
  switch (state.state) {
    case 'discovered':
    case 'rejected':
    case 'stopped':
    case 'failed':
    case 'blocked':
      return true;
    case 'validating':
    case 'loading':
    case 'starting':
    case 'running':
    case 'stopping':
      return false;
  }
}
